# What somebody writes who has measured: uv, torch in a layer of its own, the rest after it, the bytecode of one import.
ARG BASE
FROM ${BASE}
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update \
 && apt-get install -y --no-install-recommends bash ca-certificates curl git procps python3.11 python3.11-venv
ARG INDEX
ARG UV_VERSION
# "--no-cache" writes torch once, as links to what was unpacked, and downloads it again the next time
ARG TORCH_BY="--link-mode copy"
RUN python3.11 -m venv /opt/venv
RUN --mount=type=cache,target=/opt/uv,sharing=locked --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=torch.txt,target=/torch.txt \
    [ -x /opt/uv/bin/uv ] || /opt/venv/bin/pip install --quiet --no-cache-dir --target /opt/uv --index-url "${INDEX}" --trusted-host "$(echo "${INDEX}" | cut -d/ -f3 | cut -d: -f1)" "uv==${UV_VERSION}" \
 && /opt/uv/bin/uv pip install ${TORCH_BY} --python /opt/venv/bin/python --default-index "${INDEX}" -r /torch.txt \
 && /opt/venv/bin/python -c "import torch"
RUN --mount=type=cache,target=/opt/uv,sharing=locked --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=requirements.txt,target=/requirements.txt \
    /opt/uv/bin/uv pip install --link-mode copy --python /opt/venv/bin/python --default-index "${INDEX}" -r /requirements.txt
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /workspace
COPY . .
