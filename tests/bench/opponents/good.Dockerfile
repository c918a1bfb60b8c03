# What guides recommend: requirements before the code, pip's cache in a cache mount.
ARG BASE
FROM ${BASE}
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update \
 && apt-get install -y --no-install-recommends bash ca-certificates curl git procps python3.11 python3.11-venv
WORKDIR /workspace
COPY requirements.txt .
ARG INDEX
RUN --mount=type=cache,target=/root/.cache/pip \
    python3.11 -m venv /opt/venv && /opt/venv/bin/pip install --index-url "${INDEX}" --trusted-host "$(echo "${INDEX}" | cut -d/ -f3 | cut -d: -f1)" -r requirements.txt
ENV PATH=/opt/venv/bin:$PATH
COPY . .
