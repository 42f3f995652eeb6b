/*
   Preloaded into psdnet (LD_PRELOAD), this makes the system fail: the k-th operation on files, the k-th allocation, or the beginning of
   a phase. It counts after PsdInitialize, in psdnet alone, and does harm on one rank. The environment says what:

     FAULT_RANK    the rank, 0 unless it is set
     FAULT_FILES   write: operations on outputs (open to write, write, pwrite, ftruncate, fsync, close, rename); read: on inputs;
                   all: both. Files are those with relative names.
     FAULT_PHASE   the phase (read, lift, ...) whose beginning counts
     FAULT_MEMORY  any word: allocations by psdnet, PETSc and SLEPc count. Those of MPI, HDF5, BLAS and libc's own do not: HDF5 and
                   Open MPI crash on some.
     FAULT_AT      which one it is that harm is done at, from 1; 0: none
     FAULT_HOW     ENOSPC, EIO: fails with this. short: the write writes a half, which is lawful. lost: this one and all after it fail
                   with EIO. slow: this one and all after it take 5 ms more. kill, stop: the rank gets SIGKILL or SIGSTOP.
     FAULT_COUNT   file that gets a line: how many were counted, and what harm is done to; with FAULT_AT 0 at the end
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define OBJECTS 16

enum { NOT_OURS, READS, WRITES };
typedef enum { ENOSPC_ONCE, EIO_ONCE, SHORT, LOST, SLOW, KILL, STOP } Harm;

static struct {
  int armed, files, memory;
  Harm harm;
  long at;
  const char *phase;
  atomic_long count;
  unsigned char kind[DESCRIPTORS];
  struct {
    uintptr_t begin, end;
  } object[OBJECTS]; /* whose allocations count */
  int objects;
} it;

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* ---------------------------------------------------------------- what is asked for */

static const char *Asked(const char name[])
{
  const char *value = getenv(name);
  return value ? value : "";
}

static int Rank(void)
{
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"};
  for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
    if (*Asked(names[k])) return atoi(Asked(names[k]));
  return 0;
}

static void ReadHarm(void)
{
  static const char *const names[] = {"ENOSPC", "EIO", "short", "lost", "slow", "kill", "stop"};
  for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
    if (!strcmp(Asked("FAULT_HOW"), names[k])) it.harm = (Harm)k;
}

static int NoteObject(struct dl_phdr_info *info, size_t size, void *context)
{
  (void)size, (void)context;
  const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
  if (*name && strncmp(name, "libpsdnet", 9) && strncmp(name, "libpetsc", 8) && strncmp(name, "libslepc", 8)) return 0;
  for (int k = 0; k < info->dlpi_phnum && it.objects < OBJECTS; k++) {
    if (info->dlpi_phdr[k].p_type != PT_LOAD || !(info->dlpi_phdr[k].p_flags & PF_X)) continue;
    it.object[it.objects].begin = info->dlpi_addr + info->dlpi_phdr[k].p_vaddr;
    it.object[it.objects].end = it.object[it.objects].begin + info->dlpi_phdr[k].p_memsz;
    it.objects++;
  }
  return 0;
}

static void Arm(void)
{
  if (strcmp(program_invocation_short_name, "psdnet") || Rank() != atoi(Asked("FAULT_RANK"))) return;
  const char *files = Asked("FAULT_FILES");
  it.files = !strcmp(files, "all") ? READS | WRITES : !strcmp(files, "read") ? READS : *files ? WRITES : 0;
  it.memory = *Asked("FAULT_MEMORY") != 0;
  it.phase = Asked("FAULT_PHASE");
  it.at = atol(Asked("FAULT_AT"));
  ReadHarm();
  (void)dl_iterate_phdr(NoteObject, NULL);
  it.armed = 1;
}

/* What was counted, and what harm is done to; a launcher may end this process at once after that. */
static void Report(const char what[], const char name[])
{
  char line[512];
  if (!it.armed || !*Asked("FAULT_COUNT")) return;
  const int length = snprintf(line, sizeof(line), "%ld %s %s\n", atomic_load(&it.count), what, name);
  const int descriptor = REAL(open)(Asked("FAULT_COUNT"), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const ssize_t written = REAL(write)(descriptor, line, (size_t)length);
  (void)written;
  (void)REAL(close)(descriptor);
}

__attribute__((destructor)) static void AtEnd(void)
{
  if (it.at == 0) Report("", "");
}

/* ---------------------------------------------------------------- harm */

/* Whether the thing at hand is the one, which `what` and `name` say. Does not return when the rank is killed. */
static int IsHarmed(const char what[], const char name[])
{
  const long number = atomic_fetch_add(&it.count, 1) + 1;
  const int goes_on = it.harm == LOST || it.harm == SLOW;
  if (it.at == 0 || (goes_on ? number < it.at : number != it.at)) return 0;
  if (number == it.at) Report(what, name);
  if (it.harm == KILL) (void)raise(SIGKILL);
  if (it.harm == STOP) (void)raise(SIGSTOP);
  if (it.harm == SLOW) (void)nanosleep(&(struct timespec){0, 5000000}, NULL);
  return it.harm != STOP && it.harm != SLOW;
}

/* The same of an operation on a file; 1 with errno set when it is to fail. */
static int Fails(int kind, const char what[], const char name[])
{
  if (!it.armed || !(kind & it.files) || !IsHarmed(what, name)) return 0;
  if (it.harm == SHORT) return 0;
  errno = it.harm == ENOSPC_ONCE ? ENOSPC : EIO;
  return 1;
}

static int KindOf(int descriptor)
{
  return descriptor >= 0 && descriptor < DESCRIPTORS ? it.kind[descriptor] : NOT_OURS;
}

static void SetKind(int descriptor, int kind)
{
  if (descriptor >= 0 && descriptor < DESCRIPTORS) it.kind[descriptor] = (unsigned char)kind;
}

static int KindOfName(const char path[], int flags)
{
  if (!it.armed || path[0] == '/') {
    static char here[4096];
    if (!it.armed) return NOT_OURS;
    if (!here[0] && !getcwd(here, sizeof(here))) return NOT_OURS;
    if (strncmp(path, here, strlen(here)) != 0) return NOT_OURS;
  }
  return flags & (O_WRONLY | O_RDWR | O_CREAT | O_DIRECTORY) ? WRITES : READS;
}

/* ---------------------------------------------------------------- files */

int open(const char *path, int flags, ...)
{
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  const int kind = KindOfName(path, flags);
  if (Fails(kind, "open", path)) return -1;
  const int descriptor = REAL(open)(path, flags, mode);
  SetKind(descriptor, kind);
  return descriptor;
}

int dup(int descriptor)
{
  const int copy = REAL(dup)(descriptor);
  SetKind(copy, KindOf(descriptor));
  return copy;
}

int close(int descriptor)
{
  const int kind = KindOf(descriptor);
  SetKind(descriptor, NOT_OURS);
  const int status = REAL(close)(descriptor);
  return Fails(kind, "close", "") ? -1 : status;
}

/* How much of a write is done, when it is the one; all of it, unless it is to be short. */
static size_t Share(int descriptor, size_t count)
{
  if (it.armed && it.harm == SHORT && KindOf(descriptor) & it.files && atomic_load(&it.count) == it.at && count > 1)
    return count / 2;
  return count;
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
  if (Fails(KindOf(descriptor), "write", "")) return -1;
  return REAL(write)(descriptor, bytes, Share(descriptor, count));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
  if (Fails(KindOf(descriptor), "pwrite", "")) return -1;
  return REAL(pwrite)(descriptor, bytes, Share(descriptor, count), offset);
}

ssize_t read(int descriptor, void *bytes, size_t count)
{
  if (Fails(KindOf(descriptor), "read", "")) return -1;
  return REAL(read)(descriptor, bytes, count);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset)
{
  if (Fails(KindOf(descriptor), "pread", "")) return -1;
  return REAL(pread)(descriptor, bytes, count, offset);
}

int ftruncate(int descriptor, off_t length)
{
  if (Fails(KindOf(descriptor), "ftruncate", "")) return -1;
  return REAL(ftruncate)(descriptor, length);
}

int fsync(int descriptor)
{
  if (Fails(KindOf(descriptor), "fsync", "")) return -1;
  return REAL(fsync)(descriptor);
}

int rename(const char *from, const char *to)
{
  if (Fails(KindOfName(to, O_WRONLY), "rename", to)) return -1;
  return REAL(rename)(from, to);
}

/* libc's streams write without the functions above: streams of files that count are made of these. A cookie is the descriptor's place in
   the list of kinds. */
static int DescriptorOf(const void *cookie)
{
  return (int)((const unsigned char *)cookie - it.kind);
}

static ssize_t WriteCookie(void *cookie, const char *bytes, size_t count)
{
  size_t done = 0;
  while (done < count) {
    const ssize_t more = write(DescriptorOf(cookie), bytes + done, count - done);
    if (more <= 0) break;
    done += (size_t)more;
  }
  return (ssize_t)done;
}

static ssize_t ReadCookie(void *cookie, char *bytes, size_t count)
{
  return read(DescriptorOf(cookie), bytes, count);
}

static int CloseCookie(void *cookie)
{
  return close(DescriptorOf(cookie));
}

FILE *fdopen(int descriptor, const char *mode)
{
  if (KindOf(descriptor) == NOT_OURS) return REAL(fdopen)(descriptor, mode);
  return fopencookie(&it.kind[descriptor], mode, (cookie_io_functions_t){ReadCookie, WriteCookie, NULL, CloseCookie});
}

FILE *fopen(const char *path, const char *mode)
{
  if (KindOfName(path, O_RDONLY) == NOT_OURS || mode[0] != 'r') return REAL(fopen)(path, mode);
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  return descriptor < 0 ? NULL : fdopen(descriptor, mode);
}

/* ---------------------------------------------------------------- memory */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static int NoMemory(const void *caller)
{
  if (!it.armed || !it.memory) return 0;
  for (int k = 0; k < it.objects; k++)
    if ((uintptr_t)caller >= it.object[k].begin && (uintptr_t)caller < it.object[k].end) {
      if (!IsHarmed("memory", "")) return 0;
      errno = ENOMEM;
      return 1;
    }
  return 0;
}

void *malloc(size_t size)
{
  return NoMemory(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
  return NoMemory(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
  return NoMemory(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
  return NoMemory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
  return NoMemory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
  if (NoMemory(__builtin_return_address(0))) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

/* ---------------------------------------------------------------- psdnet */

int PsdInitialize(int *argc, char ***argv, const char help[]);
int PsdPhaseBegin(int phase);
const char *PsdPhaseName(int phase);

int PsdInitialize(int *argc, char ***argv, const char help[])
{
  const int status = REAL(PsdInitialize)(argc, argv, help);
  Arm();
  return status;
}

int PsdPhaseBegin(int phase)
{
  const int status = REAL(PsdPhaseBegin)(phase);
  if (it.armed && *it.phase && !strcmp(PsdPhaseName(phase), it.phase)) (void)IsHarmed("phase", it.phase);
  return status;
}
