# six: Python 3.13, torch 2.6.0+cpu
# Made by wsb 0.1.0 from wsb.yaml; do not edit: change wsb.yaml and run `wsb render`.
# Layers run from what never changes to what always does, so that one changed package never rewrites torch.

# A build may name a finished image of the torch stage here; then nothing above the second FROM is built.
ARG WSB_TORCH=torch

# ==== base (layers/locked/base.j2)
# The base by the digest of its content. `wsb build --locked` names here the image whose layers it has compared.
ARG WSB_BASE=python@sha256:5555555555555555555555555555555555555555555555555555555555555555
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
 && install -d -g wsb -m 2775 /opt/wsb /opt/venv

# ==== environment (layers/locked/venv.j2)
# The environment, with the base's own Python. Its name is an alias made later, so that projects share this layer.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && python3.13 -m venv /opt/venv/wsb \
 && sh /run/wsb/locked/settle

# ==== torch (layers/locked/torch.j2)
# torch and all it needs, by version and hash. Importing it here proves the build and writes just the bytecode that an import needs.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,source=.wsb/lock/torch/pip,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && sh /run/wsb/locked/pip /opt/venv/wsb/bin/python --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
 && for site in /opt/venv/wsb/lib/python*/site-packages; do \
      rm -rf "$site"/torch/test "$site"/torch/bin/test_* "$site"/torch/bin/*Test \
   && sed -i -E '\#^torch/(test/|bin/(test_|[A-Za-z]+Test,))#d' "$site"/torch-*.dist-info/RECORD; \
    done \
 && sh /run/wsb/locked/settle \
 && env -u PYTHONDONTWRITEBYTECODE /opt/venv/wsb/bin/python -c "import torch; print('torch', torch.__version__)" \
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
 && ln -s /opt/venv/wsb /opt/venv/six \
 && ln -s /opt/wsb/activate.sh /etc/profile.d/zz-wsb.sh \
 && echo '[ -r /opt/wsb/activate.sh ] && . /opt/wsb/activate.sh' >> /etc/bash.bashrc \
 && sh /run/wsb/locked/settle
ENV PATH=/opt/venv/six/bin:$PATH \
    VIRTUAL_ENV=/opt/venv/six

# ==== the project's OS packages (layers/locked/apt.j2)
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=cache,id=wsb-apt,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=wsb-apt-lists,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=bind,source=.wsb/lock/workspace/apt,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && sh /run/wsb/locked/apt \
 && sh /run/wsb/locked/settle

# ==== the project's pip packages (layers/locked/pip.j2)
# Which of the lock's packages are large is found out in a stage of its own, which is thrown away: it holds nothing but links
# into uv's cache, and the two lists.
FROM workspace AS chosen
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,source=.wsb/chosen,target=/run/wsb/chosen \
    --mount=type=bind,source=.wsb/lock/workspace/pip,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && find /opt/venv/wsb -name '*.dist-info' > /tmp/before.txt \
 && export UV_LINK_MODE=symlink \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && sh /run/wsb/locked/pip /opt/venv/wsb/bin/python --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
 && /opt/venv/wsb/bin/python -I -B /run/wsb/chosen/by-size.py /tmp/before.txt /wsb-chosen /run/wsb/lock

# They are installed here. Each layer depends on its own list alone: one small package more never rewrites the large ones.
FROM workspace AS project
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,from=chosen,source=/wsb-chosen/large,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && sh /run/wsb/locked/pip /opt/venv/wsb/bin/python --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
 && sh /run/wsb/locked/settle \
 && env -u PYTHONDONTWRITEBYTECODE /opt/venv/wsb/bin/python -c "import importlib.util as found; found.find_spec('numpy') and __import__('numpy')" \
 && sh /run/wsb/locked/settle
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/uv,target=/run/wsb/uv \
    --mount=type=cache,id=wsb-uv-0.13.9,target=/opt/wsb/uv,sharing=locked \
    --mount=type=cache,id=wsb-uv-cache,target=/root/.cache/uv \
    --mount=type=bind,from=chosen,source=/wsb-chosen/small,target=/run/wsb/lock \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && /bin/sh /run/wsb/uv/get-uv /opt/venv/wsb/bin/python \
 && sh /run/wsb/locked/pip /opt/venv/wsb/bin/python --index "${WSB_TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" --index-strategy unsafe-best-match \
 && sh /run/wsb/locked/settle

# ==== the kernel of notebooks (layers/locked/kernel.j2)
# What the IDE runs inside is among the locked packages; here notebooks only learn of it.
RUN --mount=type=bind,source=.wsb/network,target=/run/wsb/network \
    --mount=type=bind,source=.wsb/locked,target=/run/wsb/locked \
    . /run/wsb/network/env && . /run/wsb/locked/begin \
 && /opt/venv/six/bin/python -m ipykernel install --sys-prefix --name python3 --display-name 'six (Python 3.13)' \
 && sh /run/wsb/locked/settle

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
LABEL dev.wsb.base="python:3.13-slim-bookworm" \
      dev.wsb.env="six" \
      dev.wsb.fallbacks="[]" \
      dev.wsb.inputs="sha256:0" \
      dev.wsb.lock="sha256:24eb34491b5943be474ea7a260719c150d0f8b3c85ed2925a9785479b6842cab" \
      dev.wsb.manager="venv" \
      dev.wsb.plan.digest="sha256:9a9483c46a47ff26457dcf9a4ad9c7160093482db7ed5b9507eb6edb35ea8e56" \
      dev.wsb.python="3.13" \
      dev.wsb.torch="2.6.0+cpu" \
      dev.wsb.version="0.1.0" \
      devcontainer.metadata="[{\"customizations\":{\"jetbrains\":{\"backend\":\"PyCharm\"},\"vscode\":{\"extensions\":[\"ms-python.python\",\"ms-python.vscode-pylance\",\"ms-python.debugpy\",\"ms-toolsai.jupyter\"],\"settings\":{\"python-envs.terminal.autoActivationType\":\"off\",\"python.defaultInterpreterPath\":\"/opt/venv/six/bin/python\",\"python.terminal.activateEnvironment\":false,\"python.testing.pytestEnabled\":true,\"python.testing.unittestEnabled\":false,\"terminal.integrated.defaultProfile.linux\":\"bash\"}}},\"forwardPorts\":[8888,6006],\"init\":true,\"portsAttributes\":{\"6006\":{\"label\":\"TensorBoard\",\"onAutoForward\":\"notify\"},\"8888\":{\"label\":\"Jupyter\",\"onAutoForward\":\"silent\"}},\"remoteUser\":\"dev\",\"updateRemoteUserUID\":true,\"userEnvProbe\":\"none\"}]" \
      org.opencontainers.image.base.name="python:3.13-slim-bookworm" \
      org.opencontainers.image.description="six: Python 3.13, PyTorch 2.6.0+cpu, made with venv by wsb" \
      org.opencontainers.image.title="six"
