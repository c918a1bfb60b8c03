# How most first Dockerfiles look: everything in one copy, pip, no cache.
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends bash ca-certificates curl git procps python3.11 python3.11-venv
WORKDIR /workspace
COPY . .
ARG INDEX
RUN python3.11 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --index-url "${INDEX}" --trusted-host "$(echo "${INDEX}" | cut -d/ -f3 | cut -d: -f1)" -r requirements.txt
ENV PATH=/opt/venv/bin:$PATH
