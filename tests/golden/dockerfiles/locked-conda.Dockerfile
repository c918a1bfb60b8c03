# seven: Python 3.13, torch 2.6.0+cpu
# Made by wsb 0.1.0 from wsb.yaml; do not edit: change wsb.yaml and run `wsb render`.
# Layers run from what never changes to what always does, so that one changed package never rewrites torch.

# A build may name a finished image of the torch stage here; then nothing above the second FROM is built.
ARG WSB_TORCH=torch

# ==== base (layers/locked/base.j2)
# The base by the digest of its content. `wsb build --locked` names here the image whose layers it has compared.
ARG WSB_BASE=debian@sha256:5555555555555555555555555555555555555555555555555555555555555555
FROM ${WSB_BASE} AS torch
# One shell for every step of every manager; a failure inside a pipe fails the step.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV LANG=C.UTF-8 LC_ALL=C.UTF-8

# ==== OS packages (layers/locked/os.j2)
# Every package that the distribution adds, by version and hash.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-apt,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=wsb-apt-lists,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=bind,source=.wsb/lock/torch/apt,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && rm -f /etc/apt/apt.conf.d/docker-clean \
 && sh /run/wsb/locked/apt \
 && sh /run/wsb/locked/settle

# Members of this group may change the environment; every directory in it passes the group on.
RUN groupadd --system --gid 900 wsb \
 && install -d -g wsb -m 2775 /opt/wsb /opt/conda

# ==== miniconda (layers/locked/installer.j2)
# Miniconda3 py313_26.5.3-1, pinned with its hash. Its own packages' archives are not kept.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/lock/torch/installer,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && sh /run/wsb/locked/get "${WSB_INSTALLER_URL:-https://repo.anaconda.com/miniconda/Miniconda3-py313_26.5.3-1-Linux-x86_64.sh}" 7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51 /tmp/installer.sh \
 && bash /tmp/installer.sh -b -u -p /opt/conda \
 && rm -rf /tmp/installer.sh /opt/conda/pkgs/*.conda /opt/conda/pkgs/*.tar.bz2 \
 && sh /run/wsb/locked/settle /opt/conda

# ==== environment (layers/locked/environment.j2)
# The environment, by the address and hash of every package. Nothing is solved.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-conda-pkgs,target=/opt/wsb/pkgs,sharing=locked \
    --mount=type=bind,source=.wsb/lock/torch/conda,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && sh /run/wsb/locked/conda /tmp/explicit.txt \
 && CONDA_PKGS_DIRS=/opt/wsb/pkgs /opt/conda/bin/conda create --yes --prefix /opt/conda/envs/wsb --file /tmp/explicit.txt \
 && rm /tmp/explicit.txt \
 && sh /run/wsb/locked/settle /opt/conda/envs/wsb

# ==== torch (layers/locked/torch.j2)
# torch and all it needs, by version and hash. Importing it here proves the build and writes just the bytecode that an import needs.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,source=.wsb/lock/torch/pip,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && /bin/sh /run/wsb/uv/get-uv /opt/conda/envs/wsb/bin/python \
 && sh /run/wsb/locked/pip /opt/conda/envs/wsb/bin/python --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
 && for site in /opt/conda/envs/wsb/lib/python*/site-packages; do \
      rm -rf "$site"/torch/test "$site"/torch/bin/test_* "$site"/torch/bin/*Test \
   && sed -i -E '\#^torch/(test/|bin/(test_|[A-Za-z]+Test,))#d' "$site"/torch-*.dist-info/RECORD; \
    done \
 && sh /run/wsb/locked/settle \
 && env -u PYTHONDONTWRITEBYTECODE /opt/conda/envs/wsb/bin/python -c "import torch; print('torch', torch.__version__)" \
 && sh /run/wsb/locked/settle

# ==== workspace (layers/55-workspace.j2)
# hadolint ignore=DL3006
FROM ${WSB_TORCH} AS workspace
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# ==== user (layers/locked/user.j2)
# The user that owns nothing but his home: the environment belongs to a group, so his uid may change later.
ARG WSB_UID=1000
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/user,target=/run/wsb/user \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && umask 022 \
 && sh /run/wsb/user/make-user dev "${WSB_UID}" wsb \
 && ln -s /opt/conda/envs/wsb /opt/conda/envs/seven \
 && ln -s /opt/wsb/activate.sh /etc/profile.d/zz-wsb.sh \
 && echo '[ -r /opt/wsb/activate.sh ] && . /opt/wsb/activate.sh' >> /etc/bash.bashrc \
 && sh /run/wsb/locked/settle
ENV PATH=/opt/conda/envs/seven/bin:/opt/conda/condabin:$PATH \
    CONDA_DEFAULT_ENV=seven \
    CONDA_PREFIX=/opt/conda/envs/seven \
    CONDA_SHLVL=1

# ==== the project's conda packages (layers/locked/conda.j2)
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-conda-pkgs,target=/opt/wsb/pkgs,sharing=locked \
    --mount=type=bind,source=.wsb/lock/workspace/conda,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && sh /run/wsb/locked/conda /tmp/explicit.txt \
 && CONDA_PKGS_DIRS=/opt/wsb/pkgs /opt/conda/bin/conda install --yes --prefix /opt/conda/envs/wsb --file /tmp/explicit.txt \
 && rm /tmp/explicit.txt \
 && sh /run/wsb/locked/settle /opt/conda/envs/wsb

# ==== what the image knows of itself (layers/90-self.j2)
# What the image knows of itself: its plan, the probes that prove it, the activation that shells read.
COPY .wsb/image/ /opt/wsb/
WORKDIR /workspace
# By name: IDEs look it up, and give the name another uid where the person at the host has another.
# hadolint ignore=DL3066
USER dev
ENTRYPOINT ["/opt/wsb/bin/entry"]
CMD ["bash"]

# ==== labels (layers/99-labels.j2)
# Labels last: changing one must not rebuild anything.
LABEL dev.wsb.base="debian:bookworm-slim" \
      dev.wsb.env="seven" \
      dev.wsb.fallbacks="[]" \
      dev.wsb.inputs="sha256:0" \
      dev.wsb.lock="sha256:ef9e228418e214fd61ad82dc6a0c350b47c9fad10d107c706be4c34f4ef494dc" \
      dev.wsb.manager="miniconda" \
      dev.wsb.plan.digest="sha256:0c82aa455c9f5147d79c25751f8e51ffd1fbf6af69c1cf44da9b9020b9c29c52" \
      dev.wsb.python="3.13" \
      dev.wsb.torch="2.6.0+cpu" \
      dev.wsb.version="0.1.0" \
      devcontainer.metadata="[{\"forwardPorts\":[8888,6006],\"init\":true,\"portsAttributes\":{\"6006\":{\"label\":\"TensorBoard\",\"onAutoForward\":\"notify\"},\"8888\":{\"label\":\"Jupyter\",\"onAutoForward\":\"silent\"}},\"remoteUser\":\"dev\",\"updateRemoteUserUID\":true,\"userEnvProbe\":\"none\"}]" \
      org.opencontainers.image.base.name="debian:bookworm-slim" \
      org.opencontainers.image.description="seven: Python 3.13, PyTorch 2.6.0+cpu, made with miniconda by wsb" \
      org.opencontainers.image.title="seven"
