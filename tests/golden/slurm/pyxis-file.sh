#!/bin/bash
# digits: python train.py --note 'it'"'"'s new'
# Written by wsb VERSION. To run it once more: sbatch /shared/ada/wsb/jobs/digits-20260101-120000-ab12/job.sh
#SBATCH --job-name=digits
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:2
#SBATCH --time=2:00:00
#SBATCH --account=vision
#SBATCH --output=/shared/ada/wsb/jobs/digits-20260101-120000-ab12/output-%j.log
#SBATCH --no-requeue

set -euo pipefail
files=/shared/ada/wsb/jobs/digits-20260101-120000-ab12
container=/shared/ada/wsb/images/digits.sqsh
image=sha256:4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d
plan=sha256:abababababababababababababababababababababababababababababababab
# as the container sees it: where the first node that fails leaves its exit code
failed=/run/wsb/jobs/digits-20260101-120000-ab12/failed-"$SLURM_JOB_ID"

# Slurm forgets a finished job after some minutes; this file does not.
trap 'echo "$?" > "$files/exit-code-$SLURM_JOB_ID"' EXIT

# torchrun on each node meets the others at the first one; a port of the job's own, as nodes may be shared
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts%%$'\n'*}
port=$((20000 + SLURM_JOB_ID % 20000))

# The first words in the container: are we in it, and is it the right one?
inside='[ "$(cat /opt/wsb/image-id 2>/dev/null)" = "$0" ] && exec "$@"
echo "wsb: proof failed: Slurm started no container: is the Pyxis plugin installed? (on $(uname -n))"
exit 97'

export LR='0.1 x'

# One container a node. The resources are said once more: srun takes only part of them from the job.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 --gres=gpu:2 --kill-on-bad-exit=1 \
    --container-image="$container" --no-container-mount-home \
    --container-mounts=/home/ada/digits:/workspace,/data:/data:ro \
    --container-workdir=/workspace \
    /bin/sh -c "$inside" "$image" \
    /opt/conda/envs/digits/bin/python -I /opt/wsb/probes/job.py --image "$image" \
    --plan "$plan" --gpus 2 --nodes 2 --tasks 2 --rendezvous "$head:$port" --id "$SLURM_JOB_ID" \
    --failed "$failed" --keep LR -- \
    python train.py --note 'it'"'"'s new' || code=$?

# Of several nodes the first that failed tells why; the others were only ended because of it.
if [ -s "$files/failed-$SLURM_JOB_ID" ]; then code=$(cat "$files/failed-$SLURM_JOB_ID"); fi
exit "${code:-0}"
