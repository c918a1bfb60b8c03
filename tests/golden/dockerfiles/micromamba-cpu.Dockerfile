# three: Python 3.10, torch 2.7.1+cpu
# Made by wsb 0.1.0 from wsb.yaml; do not edit: change wsb.yaml and run `wsb render`.
# Layers run from what never changes to what always does, so that one changed package never rewrites torch.

# A build may name a finished image of the torch stage here; then nothing above the second FROM is built.
ARG WSB_TORCH=torch

# ==== base (layers/10-base.j2)
FROM debian:bookworm-slim AS torch
# One shell for every step of every manager; a failure inside a pipe fails the step.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV LANG=C.UTF-8 LC_ALL=C.UTF-8

# ==== OS packages (layers/20-os.j2)
# Debian's images throw away what apt downloads; the cache mount keeps it for the next build instead.
# Versions are those of the base's release: a pin would break the day Debian publishes a security update.
# hadolint ignore=DL3008
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-apt,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=wsb-apt-lists,target=/var/lib/apt/lists,sharing=locked \
    . /run/wsb/network/env \
 && rm -f /etc/apt/apt.conf.d/docker-clean \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      bash \
      bzip2 \
      ca-certificates \
      curl \
      git \
      procps

# Members of this group may change the environment; every directory in it passes the group on.
RUN groupadd --system --gid 900 wsb \
 && install -d -g wsb -m 2775 /opt/wsb /opt/conda

# ==== micromamba (layers/manager/micromamba.j2)
# micromamba 2.9.0: one executable, pinned with its hash.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    . /run/wsb/network/env && umask 002 \
 && curl --fail --silent --show-error --location --retry 3 --output /tmp/micromamba.tar.bz2 \
      https://conda.anaconda.org/conda-forge/linux-64/micromamba-2.9.0-0.tar.bz2 \
 && echo "8761c382127e6363bd9e0a2451aa3ef90d071a79133f736e2f759a3bf13040dd  /tmp/micromamba.tar.bz2" | sha256sum --check - \
 && tar --extract --bzip2 --file /tmp/micromamba.tar.bz2 --directory /opt/conda bin/micromamba \
 && rm /tmp/micromamba.tar.bz2

# ==== environment (layers/environment/conda.j2)
# The environment with its own Python. Its name is an alias made later, so that projects share this layer.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-conda-pkgs,target=/opt/wsb/pkgs,sharing=locked \
    . /run/wsb/network/env && umask 002 \
 && CONDA_PKGS_DIRS=/opt/wsb/pkgs MAMBA_ROOT_PREFIX=/opt/conda /opt/conda/bin/micromamba create --yes --prefix /opt/conda/envs/wsb \
      --override-channels --channel conda-forge \
      "python=3.10" pip

# ==== torch (layers/50-torch.j2)
# torch from PyTorch's own index. Importing it here proves the build and writes just the bytecode that an import needs.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    . /run/wsb/network/env && umask 002 \
 && /bin/sh /run/wsb/uv/get-uv /opt/conda/envs/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode copy --python /opt/conda/envs/wsb/bin/python \
      --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
      torch==2.7.1+cpu \
 && for site in /opt/conda/envs/wsb/lib/python*/site-packages; do \
      rm -rf "$site"/torch/test "$site"/torch/bin/test_* "$site"/torch/bin/*Test \
   && sed -i -E '\#^torch/(test/|bin/(test_|[A-Za-z]+Test,))#d' "$site"/torch-*.dist-info/RECORD; \
    done \
 && /opt/conda/envs/wsb/bin/python -c "import torch; print('torch', torch.__version__)"

# ==== workspace (layers/55-workspace.j2)
# hadolint ignore=DL3006
FROM ${WSB_TORCH} AS workspace
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# ==== user (layers/60-user.j2)
# The user that owns nothing but his home: the environment belongs to a group, so his uid may change later.
ARG WSB_UID=1000
RUN --mount=type=bind,source=.wsb/user,target=/run/wsb/user \
    sh /run/wsb/user/make-user dev "${WSB_UID}" wsb \
 && ln -s /opt/conda/envs/wsb /opt/conda/envs/three \
 && ln -s /opt/wsb/activate.sh /etc/profile.d/zz-wsb.sh \
 && echo '[ -r /opt/wsb/activate.sh ] && . /opt/wsb/activate.sh' >> /etc/bash.bashrc
ENV PATH=/opt/conda/envs/three/bin:/opt/conda/bin:$PATH \
    CONDA_DEFAULT_ENV=three \
    CONDA_PREFIX=/opt/conda/envs/three \
    CONDA_SHLVL=1 \
    MAMBA_EXE=/opt/conda/bin/micromamba \
    MAMBA_ROOT_PREFIX=/opt/conda

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
      dev.wsb.env="three" \
      dev.wsb.fallbacks="[]" \
      dev.wsb.inputs="sha256:0" \
      dev.wsb.manager="micromamba" \
      dev.wsb.plan.digest="sha256:44173a1adaf264cc3f47e536c66e16e34b4eb7efc0c2eb99fdbce2a0bc77ee90" \
      dev.wsb.python="3.10" \
      dev.wsb.torch="2.7.1+cpu" \
      dev.wsb.version="0.1.0" \
      devcontainer.metadata="[{\"forwardPorts\":[8888,6006],\"init\":true,\"portsAttributes\":{\"6006\":{\"label\":\"TensorBoard\",\"onAutoForward\":\"notify\"},\"8888\":{\"label\":\"Jupyter\",\"onAutoForward\":\"silent\"}},\"remoteUser\":\"dev\",\"updateRemoteUserUID\":true,\"userEnvProbe\":\"none\"}]" \
      org.opencontainers.image.base.name="debian:bookworm-slim" \
      org.opencontainers.image.description="three: Python 3.10, PyTorch 2.7.1+cpu, made with micromamba by wsb" \
      org.opencontainers.image.title="three"
