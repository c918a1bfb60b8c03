# four: Python 3.11, torch 2.15.0+cpu
# Made by wsb 0.1.0 from wsb.yaml; do not edit: change wsb.yaml and run `wsb render`.
# Layers run from what never changes to what always does, so that one changed package never rewrites torch.

# A build may name a finished image of the torch stage here; then nothing above the second FROM is built.
ARG WSB_TORCH=torch

# ==== base (layers/10-base.j2)
FROM wsb/base:bookworm AS torch
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
      ca-certificates \
      curl \
      git \
      procps \
      python3.11 \
      python3.11-venv

# Members of this group may change the environment; every directory in it passes the group on.
RUN groupadd --system --gid 900 wsb \
 && install -d -g wsb -m 2775 /opt/wsb /opt/venv

# ==== environment (layers/environment/venv.j2)
# The environment, with the base's own Python. Its name is an alias made later, so that projects share this layer.
RUN umask 002 \
 && python3.11 -m venv /opt/venv/wsb

# ==== torch (layers/50-torch.j2)
# torch from PyTorch's own index. Importing it here proves the build and writes just the bytecode that an import needs.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    . /run/wsb/network/env && umask 002 \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode copy --python /opt/venv/wsb/bin/python \
      --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
      torch==2.15.0+cpu \
 && for site in /opt/venv/wsb/lib/python*/site-packages; do \
      rm -rf "$site"/torch/test "$site"/torch/bin/test_* "$site"/torch/bin/*Test \
   && sed -i -E '\#^torch/(test/|bin/(test_|[A-Za-z]+Test,))#d' "$site"/torch-*.dist-info/RECORD; \
    done \
 && /opt/venv/wsb/bin/python -c "import torch; print('torch', torch.__version__)"

# ==== workspace (layers/55-workspace.j2)
# hadolint ignore=DL3006
FROM ${WSB_TORCH} AS workspace
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# ==== user (layers/60-user.j2)
# The user that owns nothing but his home: the environment belongs to a group, so his uid may change later.
ARG WSB_UID=1000
RUN --mount=type=bind,source=.wsb/user,target=/run/wsb/user \
    sh /run/wsb/user/make-user dev "${WSB_UID}" wsb \
 && ln -s /opt/venv/wsb /opt/venv/four \
 && ln -s /opt/wsb/activate.sh /etc/profile.d/zz-wsb.sh \
 && echo '[ -r /opt/wsb/activate.sh ] && . /opt/wsb/activate.sh' >> /etc/bash.bashrc
ENV PATH=/opt/venv/four/bin:$PATH \
    VIRTUAL_ENV=/opt/venv/four

# ==== the project's OS packages (layers/65-apt.j2)
# hadolint ignore=DL3008
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-apt,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=wsb-apt-lists,target=/var/lib/apt/lists,sharing=locked \
    . /run/wsb/network/env \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      libfreetype6 \
      libxext6 \
      libxi6 \
      libxrender1 \
      libxtst6 \
      unzip

# ==== the project's pip packages (layers/75-packages.j2)
# What the project's pip packages are is found out in a stage of its own, which is thrown away: it holds nothing but links
# into uv's cache, and the two lists.
FROM workspace AS chosen
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,source=.wsb/pip,target=/run/wsb/pip \
    --mount=type=bind,source=.wsb/chosen,target=/run/wsb/chosen \
    . /run/wsb/network/env && umask 002 \
 && find /opt/venv/wsb -name '*.dist-info' > /tmp/before.txt \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode symlink --python /opt/venv/wsb/bin/python \
      --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
      --constraint /run/wsb/pip/constraints.txt \
      --requirement /run/wsb/pip/requirements.txt \
 && /opt/wsb/uv/bin/uv pip list --format freeze --python /opt/venv/wsb/bin/python \
      | grep --extended-regexp '^[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.+!]*$' > /tmp/held.txt \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode symlink --python /opt/venv/wsb/bin/python \
      --constraint /tmp/held.txt \
      debugpy \
      ipykernel \
 && /opt/venv/wsb/bin/python -I -B /run/wsb/chosen/by-size.py /tmp/before.txt /wsb-chosen

# They are installed here. Each layer depends on its own list alone: one small package more never rewrites the large ones.
FROM workspace AS project
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,from=chosen,source=/wsb-chosen/large,target=/run/wsb/large \
    . /run/wsb/network/env && umask 002 \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode copy --python /opt/venv/wsb/bin/python \
      --no-deps \
      --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
      --requirement /run/wsb/large/list \
 && /opt/venv/wsb/bin/python -c "import importlib.util as found; found.find_spec('numpy') and __import__('numpy')"
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,from=chosen,source=/wsb-chosen/small,target=/run/wsb/small \
    . /run/wsb/network/env && umask 002 \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && /opt/wsb/uv/bin/uv pip install --link-mode copy --python /opt/venv/wsb/bin/python \
      --no-deps \
      --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
      --requirement /run/wsb/small/list
RUN /opt/venv/four/bin/python -m ipykernel install --sys-prefix --name python3 --display-name 'four (Python 3.11)'

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
LABEL dev.wsb.base="wsb/base:bookworm" \
      dev.wsb.env="four" \
      dev.wsb.fallbacks="[]" \
      dev.wsb.inputs="sha256:0" \
      dev.wsb.manager="venv" \
      dev.wsb.plan.digest="sha256:cb4cbea38b60e5b2c41eb2b38a62677869bddeff0df16c669645aa729f735f9e" \
      dev.wsb.python="3.11" \
      dev.wsb.torch="2.15.0+cpu" \
      dev.wsb.version="0.1.0" \
      devcontainer.metadata="[{\"customizations\":{\"jetbrains\":{\"backend\":\"PyCharm\"},\"vscode\":{\"extensions\":[\"ms-python.python\",\"ms-python.vscode-pylance\",\"ms-python.debugpy\",\"ms-toolsai.jupyter\"],\"settings\":{\"python-envs.terminal.autoActivationType\":\"off\",\"python.defaultInterpreterPath\":\"/opt/venv/four/bin/python\",\"python.terminal.activateEnvironment\":false,\"python.testing.pytestEnabled\":true,\"python.testing.unittestEnabled\":false,\"terminal.integrated.defaultProfile.linux\":\"bash\"}}},\"forwardPorts\":[8888,6006],\"init\":true,\"portsAttributes\":{\"6006\":{\"label\":\"TensorBoard\",\"onAutoForward\":\"notify\"},\"8888\":{\"label\":\"Jupyter\",\"onAutoForward\":\"silent\"}},\"remoteUser\":\"dev\",\"updateRemoteUserUID\":true,\"userEnvProbe\":\"none\"}]" \
      org.opencontainers.image.base.name="wsb/base:bookworm" \
      org.opencontainers.image.description="four: Python 3.11, PyTorch 2.15.0+cpu, made with venv by wsb" \
      org.opencontainers.image.title="four"
