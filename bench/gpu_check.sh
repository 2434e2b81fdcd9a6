#!/usr/bin/env bash
# Builds the CUDA backend, holds it to the CPU and to float64, and measures it, in one call of at most nine minutes.
usage() {
  cat <<'END'
usage: bash bench/gpu_check.sh [--seconds N]

Wherever a GPU is to be had, with nvcc and a python3 that has numpy, pillow, pytest, pytest-timeout, hypothesis,
pybind11, safetensors and tqdm; with torch too, the step is compared with PyTorch. Needs no network and no root, and
installs nothing. Stages: facts, build, open, parity, quick (a short benchmark), torch-warm (PyTorch's compilers, in
the background), memcheck, racecheck, full (the whole benchmark). A stage that fails or takes too long is recorded, and
the next one runs.

Writes build/gpu/ and bench/results/<name of the GPU>.json, anew after every stage; both also to $OUT if that is
a folder. The summary comes last.

  --seconds N              for everything; default 540
  PYTHON=python3           the interpreter
  OUT=                     a folder that gets the results and the logs: seven files
  CPPN_COMMIT=             what to call the sources where git cannot tell
  CPPN_SHARED=             folder with images/starry_night_386x320.png; without it, random bytes are fitted
  GPU_CHECK_RESULTS=       a folder instead of bench/results
  GPU_CHECK_CMAKE=         further arguments for cmake
  GPU_CHECK_BENCH=         further arguments for bench_cuda.py

Exit status: 0 all went well; 1 some stage failed or found no time; 2 wrong usage; 3 no GPU or no nvcc.
END
}
set -uo pipefail
readonly HERE_COMMAND="bash bench/gpu_check.sh${*:+ $*}"

TOTAL=540
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --seconds)
      [[ ${2:-} =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }
      TOTAL=$2
      shift 2
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
PYTHON=${PYTHON:-python3}
WORK=$PWD/build/gpu
LAST=8 # seconds for the summary
LEAST=10 # a stage that would get less is not begun
FULL=240 # seconds that are kept for the whole benchmark
failed=0
export GPU_CHECK_COMMAND=$HERE_COMMAND CPPN_BENCH_WORK=$WORK PYTHONUNBUFFERED=1

left() { echo $((TOTAL - SECONDS - LAST)); }

least() { echo $(($1 < $2 ? $1 : $2)); }

record() { "$PYTHON" bench/gpu_record.py stage "$WORK" "$1" "$2" "$3" || failed=1; }

# stage NAME LIMIT KEEP COMMAND...: at most LIMIT seconds, and KEEP seconds remain for what comes after.
stage() {
  local name=$1 limit=$2 keep=$3 begin=$SECONDS rc
  shift 3
  limit=$(least "$limit" $(($(left) - keep)))
  if ((limit < LEAST)); then
    echo "no time left" >"$WORK/$name.log"
    record "$name" skipped 0
    echo "== $name: skipped, no time left"
    failed=1
    return 1
  fi
  echo "== $name (at most $limit s)"
  # SIGINT first: pytest then still says how far it got.
  timeout --signal=INT --kill-after=5 "$limit" "$@" >"$WORK/$name.log" 2>&1 </dev/null
  rc=$?
  record "$name" "$rc" $((SECONDS - begin))
  if ((rc != 0)); then
    failed=1
    tail -n 12 "$WORK/$name.log" | cut -c 1-200 | sed 's/^/   | /'
  fi
  echo "   status $rc after $((SECONDS - begin)) s"
  return "$rc"
}

finish() {
  "$PYTHON" bench/gpu_record.py summary "$WORK"
  exit "$failed"
}

interrupted() {
  failed=1
  [[ -n ${warming:-} ]] && kill "$warming" 2>/dev/null
  finish
}

# -- the stages ------------------------------------------------------------------------------------------

configure() {
  local generator="Unix Makefiles" version
  command -v ninja >/dev/null && generator=Ninja
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -n 1)
  # shellcheck disable=SC2086 # GPU_CHECK_CMAKE is a list of words
  cmake -S . -B "$WORK/cmake" -G "$generator" -DCMAKE_BUILD_TYPE=Release -DCPPN_CUDA=ON \
    -DCMAKE_CUDA_ARCHITECTURES="$(architecture)" -DPython_EXECUTABLE="$(command -v "$PYTHON")" \
    -Dpybind11_DIR="$("$PYTHON" -m pybind11 --cmakedir)" -DSKBUILD_PROJECT_VERSION="$version" ${GPU_CHECK_CMAKE:-}
}

# "90" of a GPU that says 9.0; what cmake finds by itself, where nvidia-smi does not know.
architecture() {
  local capability
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d '. ')
  [[ $capability =~ ^[0-9]+$ ]] && echo "$capability-real" || echo native
}

# A package of its own beside the checkout's, so that neither disturbs the other.
build() {
  local made
  configure || { rm -rf "$WORK/cmake" && configure; } || return 1 # a folder from other tools: once more, from nothing
  cmake --build "$WORK/cmake" --parallel "$(nproc)" || return 1
  made=$(find "$WORK/cmake" -maxdepth 2 -name '_core*.so' | head -n 1)
  [[ -n $made ]] || { echo "no _core was built"; return 1; }
  rm -rf "$WORK/package"
  mkdir -p "$WORK/package"
  cp -R python/cppn_native "$WORK/package/" || return 1
  find "$WORK/package" \( -name '*.so' -o -name '__pycache__' \) -prune -exec rm -rf {} +
  cp "$made" "$WORK/package/cppn_native/"
}

open_device() {
  "$PYTHON" - <<'END'
from cppn_native import _core

for device in _core.cuda_devices():
    print(device.name, device.architecture, device.multiprocessors, device.why)
backend = _core.open_cuda(0)
print(backend.name, f"{backend.peak(0.2):.0f} GFLOP/s of multiply-adds")
END
}

parity() {
  local files=() file
  for file in tests/test_{cascade,descent,determinism,cuda}.py; do
    [[ -e $file ]] && files+=("$file")
  done
  "$PYTHON" -m pytest "${files[@]}" -k cuda -q -p no:cacheprovider
}

sanitized() {
  command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not on PATH"; return 0; }
  [[ -e tests/test_cuda.py ]] || { echo "no tests/test_cuda.py"; return 0; }
  compute-sanitizer --tool "$1" --error-exitcode 9 --print-limit 20 \
    "$PYTHON" -m pytest tests/test_cuda.py -k sanitizer -q -p no:cacheprovider
}

benchmark() { # NAME SECONDS ARGUMENTS...
  local name=$1 seconds=$2
  shift 2
  # shellcheck disable=SC2086 # GPU_CHECK_BENCH is a list of words
  "$PYTHON" bench/bench_cuda.py --json "$WORK/$name.json" --seconds "$seconds" "$@" ${GPU_CHECK_BENCH:-}
}

# `timeout` starts programs, not functions: a second bash runs them.
export -f configure architecture build open_device parity sanitized benchmark
export PYTHON WORK
function_stage() { # NAME LIMIT KEEP FUNCTION ARGUMENTS...
  local name=$1 limit=$2 keep=$3
  shift 3
  stage "$name" "$limit" "$keep" bash -uo pipefail -c '"$@"' bash "$@"
}

# -- one after the other -----------------------------------------------------------------------------------

mkdir -p "$WORK"
"$PYTHON" bench/gpu_record.py facts "$WORK" || exit $?
find "$WORK" -maxdepth 1 \( -name '*.json' ! -name facts.json -o -name '*.log' ! -name ptxas.log \) -delete
trap interrupted INT TERM
warming=""

if ! function_stage build 240 120 build; then
  echo "nothing was built: nothing to check" >&2
  finish
fi
export PYTHONPATH=$WORK/package
function_stage open 40 60 open_device
function_stage parity 150 150 parity
quick=$(least 60 $(($(left) - 30)))
function_stage quick "$quick" 20 benchmark quick $((quick - 5)) --quick

# PyTorch's compilers take minutes and little of the GPU; the sanitizers measure nothing that they could disturb.
seconds=$(least 150 $(($(left) - FULL)))
begun=$SECONDS
if ((seconds >= LEAST)); then
  timeout --kill-after=5 $((seconds + 5)) "$PYTHON" bench/torch_race.py --warm "$seconds" --folder "$WORK/torch" \
    >"$WORK/torch-warm.log" 2>&1 </dev/null &
  warming=$!
fi
share=$(($(left) > FULL ? ($(left) - FULL) / 2 : 0))
function_stage memcheck "$(least 90 "$share")" "$FULL" sanitized memcheck
function_stage racecheck 90 "$FULL" sanitized racecheck
if [[ -n $warming ]]; then
  wait "$warming"
  record torch-warm $? $((SECONDS - begun))
  warming=""
fi
function_stage full "$(left)" 0 benchmark full $(($(left) - 6))
finish
