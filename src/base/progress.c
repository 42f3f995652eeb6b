/*
   Progress lines on rank 0's standard output. 'live' is one line that renews itself, at most ten times a second;
   'plain' is a line every -progress_interval seconds and one at the end of each piece of work; before
   PsdProgressSetFromOptions there are none. 'auto' is live when standard output is a terminal that has a width. Under a
   launcher a rank's output is the launcher's pseudo-terminal (of no width) or pipe, wherever the launcher's own goes;
   then it is live when the parent process is a launcher whose own output is a terminal and this rank's is no regular
   file.
*/
#define _GNU_SOURCE /* readlink */
#include "base.h"
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_LENGTH 256
#define LIVE_INTERVAL 0.1

typedef enum { MODE_AUTO, MODE_LIVE, MODE_PLAIN, MODE_NONE } Mode;
static const char *const mode_names[] = {"auto", "live", "plain", "none", NULL};

static struct {
  Mode mode;
  PetscReal interval;
  int width;                /* columns that a live line may fill */
  int shown;                /* columns that the live line on the screen fills; 0: there is none */
  PetscLogDouble last_line; /* when PsdProgressLine last printed */
} screen = {MODE_NONE, 10, 79, 0, 0};

struct _p_PsdProgress {
  PetscBool prints; /* on this rank */
  char what[32], unit[32];
  PetscInt64 local_total, global_total, local_done;
  PetscLogDouble start, last;
};

/* ---------------------------------------------------------------- which kind */

static int TerminalWidth(void)
{
  struct winsize size;

  if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) return 0;
  return size.ws_col;
}

static PetscBool ParentIsLauncher(void)
{
  static const char *const launchers[] = {"mpiexec", "mpirun", "orterun", "prterun", "srun"};
  char path[64], name[64] = "";

  snprintf(path, sizeof(path), "/proc/%ld/comm", (long)getppid());
  FILE *file = fopen(path, "r");
  if (!file) return PETSC_FALSE;
  if (!fgets(name, sizeof(name), file)) name[0] = '\0';
  (void)fclose(file);
  for (size_t k = 0; k < sizeof(launchers) / sizeof(launchers[0]); k++)
    if (!strncmp(name, launchers[k], strlen(launchers[k]))) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool LauncherShowsTerminal(void)
{
  char path[64], target[64];
  struct stat output;

  if (fstat(STDOUT_FILENO, &output) || S_ISREG(output.st_mode) || !ParentIsLauncher()) return PETSC_FALSE;
  snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getppid(), STDOUT_FILENO);
  const ssize_t length = readlink(path, target, sizeof(target) - 1);
  if (length < 0) return PETSC_FALSE;
  target[length] = '\0';
  return (PetscBool)(!strncmp(target, "/dev/pts/", 9) || !strncmp(target, "/dev/tty", 8));
}

PetscErrorCode PsdProgressSetFromOptions(void)
{
  const int width = TerminalWidth();
  PetscInt mode = MODE_AUTO;

  PetscFunctionBeginUser;
  PetscCall(PsdOptionEnum("-progress", "how progress is shown", mode_names, &mode, NULL));
  PetscCall(PsdOptionReal("-progress_interval", "seconds between plain lines of progress", PSD_POSITIVE,
                          &screen.interval, NULL));
  if (mode == MODE_AUTO) mode = width > 0 || LauncherShowsTerminal() ? MODE_LIVE : MODE_PLAIN;
  screen.mode = (Mode)mode;
  if (width > 1) screen.width = PetscMin(width - 1, LINE_LENGTH - 1);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- printing */

/* Renews the live line, or with `stays` leaves it and goes on to the next; an empty text clears it. */
static void PrintLive(const char text[], PetscBool stays)
{
  const int length = stays ? (int)strlen(text) : PetscMin((int)strlen(text), screen.width);

  printf("\r%.*s%*s", length, text, PetscMax(screen.shown - length, 0), "");
  if (stays) printf("\n");
  else if (!length) printf("\r");
  screen.shown = stays ? 0 : length;
  (void)fflush(stdout);
}

static void Print(const char text[], PetscBool stays)
{
  if (screen.mode == MODE_LIVE) {
    PrintLive(text, stays);
  } else {
    printf("%s\n", text);
    (void)fflush(stdout);
  }
}

static void DescribeSeconds(PetscLogDouble seconds, char text[32])
{
  const long whole = (long)seconds;

  if (seconds < 60) snprintf(text, 32, "%.1f s", seconds);
  else if (seconds < 3600) snprintf(text, 32, "%ld min %02ld s", whole / 60, whole % 60);
  else snprintf(text, 32, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

/* Shards are even, so the share done here is taken for the share done everywhere. */
static PetscInt64 GlobalDone(PsdProgress progress)
{
  if (progress->local_done >= progress->local_total) return progress->global_total;
  return (PetscInt64)((double)progress->global_total * (double)progress->local_done / (double)progress->local_total);
}

static void PrintUpdate(PsdProgress progress, PetscLogDouble now)
{
  const PetscInt64 done = GlobalDone(progress), total = progress->global_total;
  const double elapsed = now - progress->start, rate = elapsed > 0 ? (double)done / elapsed : 0;
  char line[LINE_LENGTH], left[32] = "? s";

  if (rate > 0) DescribeSeconds((double)(total - done) / rate, left);
  snprintf(line, sizeof(line), "%-8s %" PetscInt64_FMT "/%" PetscInt64_FMT " %s  %.0f%%  %.4g %s/s  %s left",
           progress->what, done, total, progress->unit, total ? 100. * (double)done / (double)total : 100., rate,
           progress->unit, left);
  Print(line, PETSC_FALSE);
}

/* ---------------------------------------------------------------- work with a known end */

PetscErrorCode PsdProgressCreate(MPI_Comm comm, const char what[], const char unit[], PetscInt64 local_total,
                                 PetscInt64 global_total, PsdProgress *progress)
{
  PetscMPIInt rank;
  PsdProgress p;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&p));
  p->prints = (PetscBool)(rank == 0 && screen.mode != MODE_NONE);
  PetscCall(PetscStrncpy(p->what, what, sizeof(p->what)));
  PetscCall(PetscStrncpy(p->unit, unit, sizeof(p->unit)));
  p->local_total = local_total;
  p->global_total = global_total;
  p->start = p->last = MPI_Wtime();
  *progress = p;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProgressUpdate(PsdProgress progress, PetscInt64 local_done)
{
  PetscFunctionBeginUser;
  progress->local_done = local_done;
  if (!progress->prints) PetscFunctionReturn(0);
  const PetscLogDouble now = MPI_Wtime();
  if (now - progress->last < (screen.mode == MODE_LIVE ? LIVE_INTERVAL : screen.interval)) PetscFunctionReturn(0);
  progress->last = now;
  PrintUpdate(progress, now);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProgressDestroy(PsdProgress *progress)
{
  PetscFunctionBeginUser;
  if (!*progress) PetscFunctionReturn(0);
  PsdProgress p = *progress;
  const PetscInt64 done = GlobalDone(p);
  if (p->prints && done > 0) {
    const double seconds = MPI_Wtime() - p->start;
    char line[LINE_LENGTH], taken[32];
    DescribeSeconds(seconds, taken);
    snprintf(line, sizeof(line), "%-8s %" PetscInt64_FMT " %s in %s (%.0f %s/s)", p->what, done, p->unit, taken,
             seconds > 0 ? (double)done / seconds : 0, p->unit);
    Print(line, PETSC_TRUE);
  } else if (p->prints && screen.shown) {
    Print("", PETSC_FALSE);
  }
  PetscCall(PetscFree(*progress));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- work without one */

PetscErrorCode PsdProgressLine(MPI_Comm comm, PetscBool last, const char format[], ...)
{
  const PetscLogDouble now = MPI_Wtime();
  char line[LINE_LENGTH];
  PetscMPIInt rank;
  va_list arguments;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank || screen.mode == MODE_NONE) PetscFunctionReturn(0);
  /* lines that come too soon after another are dropped, the last one never */
  if (!last && now - screen.last_line < (screen.mode == MODE_LIVE ? LIVE_INTERVAL : screen.interval))
    PetscFunctionReturn(0);
  screen.last_line = last ? 0 : now;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  Print(line, last);
  PetscFunctionReturn(0);
}
