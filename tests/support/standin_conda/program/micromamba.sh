# The `micromamba` function of wsb's stand-in; see conda.sh for why a function is needed.

__mamba_exe() (
    "$MAMBA_EXE" "$@"
)

__mamba_activate() {
    \local ask_mamba
    ask_mamba="$(PS1="${PS1:-}" __mamba_exe shell "$@" --shell bash)" || \return
    \eval "$ask_mamba"
    \hash -r
}

micromamba() {
    \local cmd="${1-__missing__}"
    case "$cmd" in
        activate | reactivate | deactivate)
            __mamba_activate "$@"
            ;;
        install | update | remove)
            __mamba_exe "$@" || \return
            __mamba_activate reactivate
            ;;
        *)
            __mamba_exe "$@"
            ;;
    esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
    \export CONDA_SHLVL=0
    PATH="$MAMBA_ROOT_PREFIX/condabin${PATH:+":${PATH}"}"
    \export PATH
    if [ -z "${PS1+x}" ]; then
        PS1=
    fi
fi
