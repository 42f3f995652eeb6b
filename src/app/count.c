/*
   -count FILE: what each rank asks of MPI, by phase of the run and by kind of call (docs/formats.md, "count.csv"). Counts do
   not depend on the machine, and carry no noise.
*/
#include "app.h"

PetscBool PsdCounting = PETSC_FALSE;

static char path[PETSC_MAX_PATH_LEN];

typedef struct {
  double calls, bytes, seconds;
} Entry;

/* the first row: outside of all phases */
static Entry entries[PSD_PHASE_COUNT + 1][PSD_MPI_CALLS];

void PsdCountAdd(PsdMpiCall call, double bytes, double seconds)
{
  Entry *entry = &entries[PsdPhaseCurrent() + 1][call];
  entry->calls += 1;
  entry->bytes += bytes;
  entry->seconds += seconds;
}

PetscErrorCode PsdCountFromOptions(void)
{
  PetscFunctionBeginUser;
  PetscCall(PsdOptionPath("-count", "file that each rank's calls of MPI are counted in, by phase (CSV)",
                          PSD_PATH_OUTPUT, PETSC_FALSE, path));
  PsdCounting = (PetscBool)(path[0] != '\0');
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteRank(PsdTable table, PetscMPIInt rank, const Entry *all)
{
  PetscFunctionBeginUser;
  static const char *const calls[PSD_MPI_CALLS] = {"send",    "recv",      "sendrecv",       "wait",   "bcast",
                                                   "reduce",  "allreduce", "reduce_scatter", "gather", "allgather",
                                                   "scatter", "alltoall",  "scan",           "barrier"};
  for (int phase = 0; phase <= PSD_PHASE_COUNT; phase++)
    for (int call = 0; call < PSD_MPI_CALLS; call++, all++)
      if (all->calls > 0)
        PetscCall(PsdTableRow(table, "%d,%s,%s,%.0f,%.0f,%.6f", (int)rank,
                              phase ? PsdPhaseName((PsdPhase)(phase - 1)) : "none", calls[call], all->calls, all->bytes,
                              all->seconds));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCountWrite(void)
{
  PetscFunctionBeginUser;
  enum { LENGTH = sizeof(entries) / sizeof(double) };
  PetscMPIInt rank, ranks;
  Entry *all = NULL;
  PsdTable table;
  if (!PsdCounting) PetscFunctionReturn(0);
  PsdCounting = PETSC_FALSE;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  if (rank == 0) PetscCall(PetscMalloc1((size_t)ranks * sizeof(entries) / sizeof(Entry), &all));
  PetscCallMPI(MPI_Gather(entries, LENGTH, MPI_DOUBLE, all, LENGTH, MPI_DOUBLE, 0, PETSC_COMM_WORLD));
  PetscCall(PsdTableCreate(path, "rank,phase,call,calls,bytes,seconds", &table));
  for (PetscMPIInt r = 0; r < ranks && all; r++)
    PetscCall(WriteRank(table, r, all + (size_t)r * (sizeof(entries) / sizeof(Entry))));
  PetscCall(PsdTableClose(&table));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}
