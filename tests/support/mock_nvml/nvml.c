/* A libnvidia-ml.so.1 that tells what a text file says, at the real library's binary interface.
 *
 * Written from the names, argument types and return codes that nvidia-ml-py itself declares. The file is named by
 * WSB_MOCK_NVML and read at each start. A line is a word and its value; `gpu` begins a card, `mig` a slice of it:
 *
 *     init 18                     what starting returns (0 when absent)
 *     hang 1                      starting never returns
 *     driver 550.54.15
 *     cuda 12040
 *     gpu
 *     name NVIDIA A100-SXM4-80GB
 *     uuid GPU-…
 *     error nvmlDeviceGetName 15  what a call about this card returns; `error handle 15` is for its handle
 *
 * What a card's lines leave out is NOT_SUPPORTED, as on cards that have none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7 };
enum { CARDS = 16, SLICES = 7, FACTS = 32, LINKS = 36 };

typedef struct { char key[48]; char value[128]; } Fact;
typedef struct Device { Fact facts[FACTS]; int count; struct Device *slices[SLICES]; int slice_count; struct Device *parent; } Device;
typedef unsigned long long Bytes;
typedef struct { Bytes total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned pid; Bytes memory; unsigned gpu_instance, compute_instance; } Process;
typedef struct { char legacy[16]; unsigned domain, bus, device, device_id, subsystem_id; char bus_id[32]; } Pci;

static Device system_, *cards[CARDS];
static int card_count, is_started;

static const char *find(const Device *device, const char *key) {
    for (int i = 0; i < device->count; i++)
        if (!strcmp(device->facts[i].key, key)) return device->facts[i].value;
    return NULL;
}

static int told_error(const Device *device, const char *function) {
    char key[64];
    snprintf(key, sizeof key, "error %s", function);
    const char *code = find(device, key);
    return code ? atoi(code) : OK;
}

static void take(Device *device, const char *line) {
    Fact *fact = &device->facts[device->count];
    char first[48] = "", second[48] = "", rest[128] = "";
    if (device->count == FACTS) return;
    if (!strncmp(line, "error ", 6)) {
        sscanf(line, "%47s %40s %127[^\n]", first, second, rest);
        snprintf(fact->key, sizeof fact->key, "error %.40s", second);
    } else {
        sscanf(line, "%47s %127[^\n]", first, rest);
        snprintf(fact->key, sizeof fact->key, "%.40s", first);
    }
    snprintf(fact->value, sizeof fact->value, "%s", rest);
    device->count++;
}

static void read_file(void) {
    const char *path = getenv("WSB_MOCK_NVML");
    FILE *file = fopen(path ? path : "/etc/wsb-mock-nvml", "r");
    char line[256];
    Device *current = &system_;
    memset(&system_, 0, sizeof system_);
    card_count = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] == '\n' || line[0] == '#') continue;
        if (!strcmp(line, "gpu\n") && card_count < CARDS) {
            current = cards[card_count++] = calloc(1, sizeof(Device));
        } else if (!strcmp(line, "mig\n") && card_count && cards[card_count - 1]->slice_count < SLICES) {
            Device *card = cards[card_count - 1];
            current = card->slices[card->slice_count++] = calloc(1, sizeof(Device));
            current->parent = card;
        } else {
            take(current, line);
        }
    }
    if (file) fclose(file);
}

static int text(const Device *device, const char *key, char *out, unsigned room) {
    const char *value = find(device, key);
    if (!is_started) return UNINITIALIZED;
    if (!value) return NOT_SUPPORTED;
    if (strlen(value) >= room) return TOO_SMALL;
    strcpy(out, value);
    return OK;
}

static int number(const Device *device, const char *key, Bytes *out) {
    const char *value = find(device, key);
    if (!value) return NOT_SUPPORTED;
    *out = strtoull(value, NULL, 10);
    return OK;
}

#define ABOUT(device) do { \
    if (!is_started) return UNINITIALIZED; \
    if (!(device)) return INVALID; \
    int code_ = told_error(device, __func__); \
    if (code_) return code_; } while (0)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    read_file();
    while (find(&system_, "hang")) sleep(1000);
    const char *code = find(&system_, "init");
    is_started = !code || !atoi(code);
    return code ? atoi(code) : OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { is_started = 0; return OK; }

const char *nvmlErrorString(int code) {
    switch (code) {
        case OK: return "Success";
        case UNINITIALIZED: return "Uninitialized";
        case INVALID: return "Invalid Argument";
        case NOT_SUPPORTED: return "Not Supported";
        case 4: return "Insufficient Permissions";
        case NOT_FOUND: return "Not Found";
        case TOO_SMALL: return "Insufficient Size";
        case 9: return "Driver Not Loaded";
        case 15: return "GPU is lost";
        case 16: return "GPU requires reset";
        case 18: return "Driver/library version mismatch";
        default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *out, unsigned room) { return text(&system_, "driver", out, room); }
int nvmlSystemGetCudaDriverVersion(int *out) {
    Bytes value = 0;
    int code = is_started ? number(&system_, "cuda", &value) : UNINITIALIZED;
    *out = (int)value;
    return code;
}
int nvmlDeviceGetCount_v2(unsigned *out) { *out = (unsigned)card_count; return is_started ? OK : UNINITIALIZED; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **out) {
    if (!is_started) return UNINITIALIZED;
    if (index >= (unsigned)card_count) return INVALID;
    *out = cards[index];
    return told_error(*out, "handle");
}

int nvmlDeviceGetName(Device *device, char *out, unsigned room) { ABOUT(device); return text(device, "name", out, room); }
int nvmlDeviceGetUUID(Device *device, char *out, unsigned room) { ABOUT(device); return text(device, "uuid", out, room); }

int nvmlDeviceGetCudaComputeCapability(Device *device, int *major, int *minor) {
    ABOUT(device);
    const char *value = find(device, "capability");
    return value && sscanf(value, "%d.%d", major, minor) == 2 ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *out) {
    ABOUT(device);
    Bytes used = 0;
    int code = number(device, "memory_mib", &out->total);
    number(device, "used_mib", &used);
    out->total <<= 20;
    out->used = used << 20;
    out->free = out->total - out->used;
    return code;
}

int nvmlDeviceGetPciInfo_v3(Device *device, Pci *out) {
    ABOUT(device);
    memset(out, 0, sizeof *out);
    return text(device, "pci", out->bus_id, sizeof out->bus_id);
}

int nvmlDeviceGetUtilizationRates(Device *device, Utilization *out) {
    ABOUT(device);
    Bytes value = 0;
    int code = number(device, "busy", &value);
    out->gpu = (unsigned)value;
    out->memory = 0;
    return code;
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *out) {
    ABOUT(device);
    Bytes value = 0;
    unsigned room = *count;
    if (number(device, "processes", &value)) return NOT_SUPPORTED;
    *count = (unsigned)value;
    if (value > room || (value && !out)) return TOO_SMALL;
    for (unsigned i = 0; i < value; i++) {
        memset(&out[i], 0, sizeof out[i]);
        out[i].pid = 1000 + i;
    }
    return OK;
}

static int flag(Device *device, const char *key, unsigned *now, unsigned *later) {
    Bytes value = 0;
    int code = number(device, key, &value);
    *now = (unsigned)value;
    if (later) *later = (unsigned)value;
    return code;
}
int nvmlDeviceGetMigMode(Device *device, unsigned *now, unsigned *later) { ABOUT(device); return flag(device, "mig_mode", now, later); }
int nvmlDeviceGetEccMode(Device *device, unsigned *now, unsigned *later) { ABOUT(device); return flag(device, "ecc_mode", now, later); }
int nvmlDeviceGetPersistenceMode(Device *device, unsigned *now) { ABOUT(device); return flag(device, "persistence", now, NULL); }
int nvmlDeviceGetComputeMode(Device *device, unsigned *now) { ABOUT(device); return flag(device, "compute_mode", now, NULL); }

int nvmlDeviceGetTotalEccErrors(Device *device, int kind, int counter, Bytes *out) {
    ABOUT(device);
    (void)counter;
    return kind == 1 ? number(device, "ecc_errors", out) : NOT_SUPPORTED;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *out) {
    ABOUT(device);
    *out = SLICES;
    return find(device, "mig_mode") ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **out) {
    ABOUT(device);
    if (index >= (unsigned)device->slice_count) return NOT_FOUND;
    *out = device->slices[index];
    return OK;
}

int nvmlDeviceGetNvLinkState(Device *device, unsigned link, unsigned *out) {
    ABOUT(device);
    Bytes up = 0;
    if (link >= LINKS) return INVALID;
    int code = number(device, "nvlinks", &up);
    *out = link < up;
    return code;
}
