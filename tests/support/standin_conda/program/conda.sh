# The `conda` function of wsb's stand-in: activation changes the shell it is typed in, so a program alone cannot do it.
# Works in every POSIX shell that has `local`, under `set -u` and `set -e` too.

__conda_exe() (
    "$CONDA_EXE" "$@"
)

__conda_activate() {
    \local ask_conda
    ask_conda="$(PS1="${PS1:-}" __conda_exe shell.posix "$@")" || \return
    \eval "$ask_conda"
    \hash -r
}

conda() {
    \local cmd="${1-__missing__}"
    case "$cmd" in
        activate | deactivate)
            __conda_activate "$@"
            ;;
        install | update | upgrade | remove | uninstall)
            __conda_exe "$@" || \return
            __conda_activate reactivate
            ;;
        *)
            __conda_exe "$@"
            ;;
    esac
}

if [ -z "${CONDA_SHLVL+x}" ]; then
    \export CONDA_SHLVL=0
    PATH="$(\dirname "$(\dirname "$CONDA_EXE")")/condabin${PATH:+":${PATH}"}"
    \export PATH
    if [ -z "${PS1+x}" ]; then
        PS1=
    fi
fi
