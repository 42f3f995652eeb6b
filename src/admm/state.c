/*
   The state of the solver in a checkpoint: everything that the next iteration and the end of the run depend on.

   One list, VisitState, is gone through to give names and places, to write and to read. Pairs go by their number and samples by
   their place in the data set, so that any number of ranks reads what another wrote. What has no fixed length (neurons,
   history, the cone's vectors) is below it.
*/
#include "admm.h"
#include "base/base.h"

typedef enum { ADD, PUT, GET } Action;

typedef struct {
  Action action;
  PsdArchive archive;
  PsdBlocks blocks;
  PetscInt n, n_local, first; /* samples */
} Visit;

static PetscErrorCode Int(Visit *v, const char name[], PetscInt *value)
{
  PetscFunctionBeginUser;
  if (v->action == ADD) PsdArchiveAddInt(v->archive, name, *value);
  if (v->action == GET) PetscCall(PsdArchiveGetInt(v->archive, name, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode Bool(Visit *v, const char name[], PetscBool *value)
{
  PetscFunctionBeginUser;
  PetscInt number = *value != PETSC_FALSE;
  PetscCall(Int(v, name, &number));
  *value = (PetscBool)(number != 0);
  PetscFunctionReturn(0);
}

static PetscErrorCode Real(Visit *v, const char name[], PetscReal *value)
{
  PetscFunctionBeginUser;
  if (v->action == ADD) PsdArchiveAddReal(v->archive, name, *value);
  if (v->action == GET) PetscCall(PsdArchiveGetReal(v->archive, name, value));
  PetscFunctionReturn(0);
}

/* rows x columns on all ranks, this rank's from `first` on. */
static void Rows(Visit *v, const char name[], PetscInt64 rows, PetscInt64 columns, PetscInt64 first, PetscInt64 count,
                 PetscReal values[])
{
  PetscInt array;
  if (v->action == ADD) {
    (void)PsdArchiveAddArray(v->archive, name, rows, columns);
    return;
  }
  (void)PsdArchiveFind(v->archive, name, rows * columns, &array);
  if (v->action == PUT) PsdArchivePut(v->archive, array, first * columns, count * columns, values);
  else PsdArchiveGet(v->archive, array, first * columns, count * columns, values);
}

/* One svec a pair. */
static PetscErrorCode Pairs(Visit *v, const char name[], Vec x)
{
  PetscFunctionBeginUser;
  PetscReal *values;
  PetscCall(VecGetArray(x, &values));
  Rows(v, name, v->blocks->pairs, v->blocks->m, v->blocks->first, v->blocks->local, values);
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

/* C numbers a sample. */
static void Samples(Visit *v, const char name[], PetscReal values[])
{
  Rows(v, name, v->n, v->blocks->C, v->first, v->n_local, values);
}

/* ---------------------------------------------------------------- the list */

static PetscErrorCode VisitStatus(PsdAdmm admm, Visit *v)
{
  PetscFunctionBeginUser;
  PsdAdmmStatus *status = &admm->status;
  PetscCall(Int(v, "iteration", &status->iteration));
  PetscCall(Int(v, "rank", &status->rank));
  PetscCall(Int(v, "neurons", &status->neurons));
  PetscCall(Real(v, "primal_residual", &status->primal_residual));
  PetscCall(Real(v, "dual_residual", &status->dual_residual));
  PetscCall(Real(v, "objective", &status->objective));
  PetscCall(Real(v, "bound", &status->bound));
  PetscCall(Real(v, "gap", &status->gap));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitBounds(PsdAdmm admm, Visit *v)
{
  PetscFunctionBeginUser;
  const PsdBounds bounds = admm->bounds;
  PetscBool is_nu = (PetscBool)(bounds->best_source.nu != NULL);
  PetscCall(Real(v, "bound_best", &bounds->best));
  PetscCall(Real(v, "bound_linear", &bounds->best_residual.linear));
  PetscCall(Real(v, "bound_quadratic", &bounds->best_residual.quadratic));
  PetscCall(Real(v, "bound_polar", &bounds->best_polar));
  PetscCall(Bool(v, "bound_of_samples", &is_nu));
  PetscCall(Pairs(v, "/pairs/bound", bounds->best_w));
  if (bounds->best_nu) Samples(v, "/samples/bound", bounds->best_nu);
  if (v->action == GET)
    bounds->best_source =
        is_nu && bounds->best_nu ? (PsdDualSource){NULL, bounds->best_nu} : (PsdDualSource){bounds->best_w, NULL};
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitPenalty(PsdAdmm admm, Visit *v)
{
  PetscFunctionBeginUser;
  PetscCall(Real(v, "rho", &admm->rho));
  PetscCall(Real(v, "rho_initial", &admm->rho_initial));
  PetscCall(Int(v, "last_check", &admm->last_check));
  PetscCall(Int(v, "previous_check", &admm->previous));
  PetscCall(Bool(v, "checked", &admm->checked));
  PetscCall(Int(v, "lag_due", &admm->lag.due));
  PetscCall(Real(v, "lag_objective", &admm->lag.objective));
  PetscCall(Real(v, "lag_bound", &admm->lag.bound));
  PetscCall(Bool(v, "lag_acted", &admm->lag.acted));
  PetscFunctionReturn(0);
}

static PetscErrorCode VisitState(PsdAdmm admm, Visit *v)
{
  PetscFunctionBeginUser;
  static const char *const sums[] = {"sum_primal", "sum_change", "sum_W", "sum_Z", "sum_U"};
  const char *name;
  PetscCall(Real(v, "elapsed", &admm->elapsed));
  PetscCall(Real(v, "beta", &admm->problem->beta));
  PetscCall(Real(v, "beta_max", &admm->problem->beta_max));
  PetscCall(Int(v, "round", &admm->round));
  PetscCall(VisitStatus(admm, v));
  PetscCall(VisitPenalty(admm, v));
  PetscCall(VisitBounds(admm, v));
  for (PetscInt k = 0; k < 5; k++) PetscCall(Real(v, sums[k], &admm->sums[k]));
  PetscCall(Pairs(v, "/pairs/Z", admm->Z[0]));
  PetscCall(Pairs(v, "/pairs/Z_prime", admm->Z[1]));
  PetscCall(Pairs(v, "/pairs/U", admm->U[0]));
  PetscCall(Pairs(v, "/pairs/U_prime", admm->U[1]));
  PetscCall(Pairs(v, "/pairs/S", admm->S));
  PetscCall(Pairs(v, "/pairs/Sh", admm->Sh));
  PetscCall(Pairs(v, "/pairs/network", admm->best_network));
  PetscCall(Real(v, "network_weight", &admm->best_weight));
  for (PetscInt k = 0;; k++) {
    PetscReal *values = PsdConsensusGetState(admm->consensus, k, &name);
    if (!values) break;
    Samples(v, name, values);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Begin(PsdAdmm admm, PsdArchive archive, Action action, Visit *v)
{
  PetscFunctionBeginUser;
  *v = (Visit){.action = action, .archive = archive, .blocks = admm->blocks};
  PetscCall(PsdDataGetSizes(admm->problem->data, &v->n, &v->n_local, &v->first));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- neurons

   Of the best network, by pairs: how many each pair has, and a line of f + 4 numbers for each neuron. */

#define COUNTS "/neurons/count"
#define NEURONS "/neurons/lines"

typedef enum { WEIGHT, REGION, CLASS, FILTER } Part; /* the filter is the last f numbers of the line */

static PetscInt PairOf(const PsdNeurons *neurons, PsdBlocks blocks, PetscInt k)
{
  return neurons->class[k] * blocks->G + neurons->region[k];
}

/* counts: pairs numbers, the same on all ranks. before, total: neurons of lower ranks, and of all. */
static PetscErrorCode CountNeurons(PsdAdmm admm, PetscReal counts[], PetscInt64 *before, PetscInt64 *total)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PetscMPIInt length;
  PetscCall(PetscMPIIntCast(blocks->pairs, &length));
  PetscCall(PetscArrayzero(counts, blocks->pairs));
  for (PetscInt k = 0; k < admm->best.N; k++) counts[PairOf(&admm->best, blocks, k)]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, length, MPIU_REAL, MPI_SUM, blocks->comm));
  *before = *total = 0;
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    if (pair == blocks->first) *before = *total;
    *total += (PetscInt64)counts[pair];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PetscInt64 before, total;
  PetscReal *counts;
  PetscCall(PetscMalloc1(admm->blocks->pairs, &counts));
  PetscCall(CountNeurons(admm, counts, &before, &total));
  (void)PsdArchiveAddArray(archive, COUNTS, admm->blocks->pairs, 1);
  (void)PsdArchiveAddArray(archive, NEURONS, total, FILTER + admm->blocks->f);
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  const PsdNeurons *best = &admm->best;
  const PetscInt64 width = FILTER + blocks->f;
  PetscInt array;
  PetscInt64 at, total;
  PetscReal *counts, *line;
  PetscCall(PetscMalloc2(blocks->pairs, &counts, width, &line));
  PetscCall(CountNeurons(admm, counts, &at, &total));
  (void)PsdArchiveFind(archive, COUNTS, blocks->pairs, &array);
  PsdArchivePut(archive, array, blocks->first, blocks->local, counts + blocks->first);
  (void)PsdArchiveFind(archive, NEURONS, total * width, &array);
  for (PetscInt pair = blocks->first; pair < blocks->first + blocks->local; pair++) {
    for (PetscInt k = 0; k < best->N; k++) {
      if (PairOf(best, blocks, k) != pair) continue;
      line[WEIGHT] = best->weight[k];
      line[REGION] = (PetscReal)best->region[k];
      line[CLASS] = (PetscReal)best->class[k];
      PetscCall(PetscArraycpy(line + FILTER, best->filter + (size_t)k * blocks->f, blocks->f));
      PsdArchivePut(archive, array, at++ * width, width, line);
    }
  }
  PetscCall(PetscFree2(counts, line));
  PetscFunctionReturn(0);
}

/* This rank's lines in the order in which a network is extracted: those of Z, then those of Z'. */
static PetscErrorCode TakeNeurons(PsdAdmm admm, PetscInt count, const PetscReal lines[])
{
  PetscFunctionBeginUser;
  PsdNeurons *best = &admm->best;
  const PetscInt f = admm->blocks->f;
  best->N = 0;
  for (PetscInt s = 0; s < 2; s++) {
    for (PetscInt k = 0; k < count; k++) {
      const PetscReal *line = lines + (size_t)k * (FILTER + f);
      if ((line[WEIGHT] < 0) != (s == 1)) continue;
      best->weight[best->N] = line[WEIGHT];
      best->region[best->N] = (PetscInt)line[REGION];
      best->class[best->N] = (PetscInt)line[CLASS];
      PetscCall(PetscArraycpy(best->filter + (size_t)best->N * f, line + FILTER, f));
      best->N++;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetNeurons(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  const PetscInt64 width = FILTER + blocks->f;
  PetscInt array;
  PetscInt64 before = 0, total = 0, mine = 0;
  PetscReal *counts, *lines;
  PetscBool sound = PETSC_TRUE;
  PetscCall(PetscMalloc1(blocks->pairs, &counts));
  (void)PsdArchiveFind(archive, COUNTS, blocks->pairs, &array);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(PsdArchiveGetAll(archive, array, counts));
  for (PetscInt pair = 0; pair < blocks->pairs; pair++) {
    sound = (PetscBool)(sound && counts[pair] >= 0 && counts[pair] <= 2 * blocks->d);
    if (pair == blocks->first) before = total;
    if (pair >= blocks->first && pair < blocks->first + blocks->local) mine += (PetscInt64)counts[pair];
    total += (PetscInt64)counts[pair];
  }
  PsdCheckInput(sound, "%s: more neurons than the blocks have", admm->checkpoint.path);
  (void)PsdArchiveFind(archive, NEURONS, total * width, &array);
  PetscCall(PetscMalloc1(mine * width, &lines));
  PsdArchiveGet(archive, array, before * width, mine * width, lines);
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(TakeNeurons(admm, (PetscInt)mine, lines));
  PetscCall(PetscFree(lines));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- history

   The root's; a line of numbers for each check. */

#define HISTORY "/history"
#define COLUMNS 10

static void Line(const PsdAdmmStatus *status, PetscReal line[COLUMNS])
{
  const PetscReal values[COLUMNS] = {(PetscReal)status->iteration,
                                     status->seconds,
                                     status->primal_residual,
                                     status->dual_residual,
                                     status->rho,
                                     status->objective,
                                     status->bound,
                                     status->gap,
                                     (PetscReal)status->rank,
                                     (PetscReal)status->neurons};
  (void)PetscArraycpy(line, values, COLUMNS);
}

static PetscErrorCode PutHistory(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  const PsdCheckpoint *it = &admm->checkpoint;
  PetscReal line[COLUMNS];
  PetscMPIInt rank;
  PetscInt array;
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  (void)PsdArchiveFind(archive, HISTORY, (PetscInt64)it->rows * COLUMNS, &array);
  for (PetscInt k = 0; k < it->rows && rank == 0; k++) {
    Line(&it->history[k], line);
    PsdArchivePut(archive, array, (PetscInt64)k * COLUMNS, COLUMNS, line);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GetHistory(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  PsdCheckpoint *it = &admm->checkpoint;
  PetscInt array;
  PetscReal *lines;
  const PetscInt rows = (PetscInt)(PsdArchiveFind(archive, HISTORY, -1, &array) / COLUMNS);
  const PsdAdmmStatus now = admm->status;
  PetscCall(PetscMalloc1((size_t)(rows + 1) * COLUMNS, &lines));
  PetscCall(PsdArchiveGetAll(archive, array, lines));
  for (PetscInt k = 0; k < rows; k++) {
    const PetscReal *x = lines + (size_t)k * COLUMNS;
    admm->status = (PsdAdmmStatus){.iteration = (PetscInt)x[0],
                                   .seconds = x[1],
                                   .primal_residual = x[2],
                                   .dual_residual = x[3],
                                   .rho = x[4],
                                   .objective = x[5],
                                   .bound = x[6],
                                   .gap = x[7],
                                   .rank = (PetscInt)x[8],
                                   .neurons = (PetscInt)x[9]};
    PetscCall(PsdCheckpointNote(admm));
  }
  admm->status = now;
  PetscCall(PetscFree(lines));
  it->rows = rows;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all of it */

PetscErrorCode PsdStateAdd(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  Visit v;
  PetscReal mine[5];
  PetscCall(Begin(admm, archive, ADD, &v));
  PetscCall(PetscArraycpy(mine, admm->sums, 5));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, admm->sums, 5, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  PetscCall(VisitState(admm, &v));
  PetscCall(PetscArraycpy(admm->sums, mine, 5));
  PsdArchiveAddReal(archive, "gap_asked_for", admm->settings.gap);
  PetscCall(AddNeurons(admm, archive));
  (void)PsdArchiveAddArray(archive, HISTORY, admm->checkpoint.rows, COLUMNS);
  PetscCall(PsdConeAdd(admm->cone, archive));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStatePut(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  Visit v;
  PetscCall(Begin(admm, archive, PUT, &v));
  PetscCall(VisitState(admm, &v));
  PetscCall(PutNeurons(admm, archive));
  PetscCall(PutHistory(admm, archive));
  PetscCall(PsdConePut(admm->cone, archive));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStateGet(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  Visit v;
  PetscMPIInt rank;
  PetscReal gap;
  PetscCallMPI(MPI_Comm_rank(admm->blocks->comm, &rank));
  PetscCall(Begin(admm, archive, GET, &v));
  PetscCall(VisitState(admm, &v));
  if (rank > 0) PetscCall(PetscArrayzero(admm->sums, 5));
  PetscCall(PsdArchiveGetReal(archive, "gap_asked_for", &gap));
  if (gap != admm->settings.gap) admm->round = 0;
  admm->status.rho = admm->rho;
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(GetNeurons(admm, archive));
  PetscCall(GetHistory(admm, archive));
  PetscCall(PsdConeGet(admm->cone, archive));
  PetscFunctionReturn(0);
}
