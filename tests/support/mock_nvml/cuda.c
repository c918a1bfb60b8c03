/* A libcuda.so.1 that starts as WSB_MOCK_CUDA says ("code devices version") and can do nothing else. */
#include <stdio.h>
#include <stdlib.h>

static void told(int *code, int *devices, int *version) {
    const char *text = getenv("WSB_MOCK_CUDA");
    *code = 0, *devices = 1, *version = 12040;
    if (text) sscanf(text, "%d %d %d", code, devices, version);
}
int cuInit(unsigned flags) { int code, devices, version; (void)flags; told(&code, &devices, &version); return code; }
int cuDeviceGetCount(int *out) { int code, version; told(&code, out, &version); return 0; }
int cuDriverGetVersion(int *out) { int code, devices; told(&code, &devices, out); return 0; }
int cuGetErrorString(int code, const char **out) { *out = code == 803 ? "system has unsupported display driver" : "an error"; return 0; }
