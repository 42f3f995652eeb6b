/*
   What nodes send to each other in each phase of a run: a library to be preloaded to psdnet, which reads the counters of
   the network interface eth0 where phases begin and end. The first rank of a node writes $WIRE.RANK: a line a phase, with
   its name, bytes, packets and seconds; the first line is of what is outside of phases. For bench-cluster.sh.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <psdsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double bytes, packets, seconds;
} Sent;

static Sent total[PSD_PHASE_COUNT + 1], last;
static int started;

static Sent Read(void)
{
  Sent sent = {.seconds = MPI_Wtime()};
  char line[512];
  FILE *file = fopen("/proc/self/net/dev", "r");
  while (file && fgets(line, sizeof(line), file)) {
    const char *counters = strstr(line, "eth0:");
    if (counters) sscanf(counters, "eth0: %*s %*s %*s %*s %*s %*s %*s %*s %lf %lf", &sent.bytes, &sent.packets);
  }
  if (file) fclose(file);
  return sent;
}

/* What was sent since the last call belongs to the phase that is open. */
static void Take(void)
{
  const Sent now = Read();
  Sent *sum = &total[PsdPhaseCurrent() + 1];
  if (started) {
    sum->bytes += now.bytes - last.bytes;
    sum->packets += now.packets - last.packets;
    sum->seconds += now.seconds - last.seconds;
  }
  started = 1;
  last = now;
}

static PetscErrorCode Real(const char name[], PsdPhase phase)
{
  PetscErrorCode (*function)(PsdPhase);
  *(void **)&function = dlsym(RTLD_NEXT, name);
  Take();
  return function(phase);
}

PetscErrorCode PsdPhaseBegin(PsdPhase phase)
{
  return Real("PsdPhaseBegin", phase);
}
PetscErrorCode PsdPhaseEnd(PsdPhase phase)
{
  return Real("PsdPhaseEnd", phase);
}

static void Write(const char stem[])
{
  char path[4096];
  int rank;
  FILE *file;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  snprintf(path, sizeof(path), "%s.%d", stem, rank);
  file = fopen(path, "w");
  for (int k = 0; file && k <= PSD_PHASE_COUNT; k++)
    fprintf(file, "%s %.0f %.0f %.6f\n", k ? PsdPhaseName((PsdPhase)(k - 1)) : "none", total[k].bytes, total[k].packets,
            total[k].seconds);
  if (file) fclose(file);
}

int MPI_Finalize(void)
{
  const char *stem = getenv("WIRE"), *local = getenv("OMPI_COMM_WORLD_LOCAL_RANK");
  Take();
  if (stem && local && !strcmp(local, "0")) Write(stem);
  return PMPI_Finalize();
}
