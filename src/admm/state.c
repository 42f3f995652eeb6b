/*
   The state of the solver in a checkpoint: everything that the next iteration and the end of the run depend on.

   One list, VisitState, is gone through to give names and places, to write and to read. Pairs go by their number and samples by
   their place in the data set, so that any number of ranks reads what another wrote. What has no fixed length is in
   state_lists.c and, of the cone, in cone/stored.c.
*/
#include "admm.h"
#include "base/base.h"

typedef enum { ADD, PUT, GET } Action;

typedef struct {
  Action action;
  PsdArchive archive;
  PsdBlocks blocks;
  PetscInt n, n_local, first; /* representative samples */
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

/* C numbers a representative sample. */
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
  PetscCall(Int(v, "rank", &status->rank_Z));
  PetscCall(Int(v, "neurons", &status->neurons));
  PetscCall(Int(v, "screened", &status->screened));
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

/* What penalties of later betas are made of. */
static PetscErrorCode VisitSpectrum(PsdSpectrum *spectrum, Visit *v)
{
  PetscFunctionBeginUser;
  char name[32];
  PetscCall(Int(v, "spectrum_steps", &spectrum->steps));
  PetscCall(Real(v, "spectrum_mean", &spectrum->mean));
  for (PetscInt k = 0; k < PSD_LANCZOS_STEPS; k++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_node_%" PetscInt_FMT, k));
    PetscCall(Real(v, name, &spectrum->node[k]));
    PetscCall(PetscSNPrintf(name, sizeof(name), "spectrum_weight_%" PetscInt_FMT, k));
    PetscCall(Real(v, name, &spectrum->weight[k]));
  }
  if (v->action == GET) spectrum->steps = PetscMax(0, PetscMin(PSD_LANCZOS_STEPS, spectrum->steps));
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
  PetscCall(Int(v, "lag_due", &admm->trend.due));
  PetscCall(Real(v, "lag_objective", &admm->trend.objective));
  PetscCall(Real(v, "lag_bound", &admm->trend.bound));
  PetscCall(Bool(v, "lag_acted", &admm->trend.acted));
  PetscFunctionReturn(0);
}

/* The splitting of a loss that is not squared. */
static PetscErrorCode VisitSplit(PsdSplitting *split, Visit *v)
{
  PetscFunctionBeginUser;
  static const char *const sums[] = {"sum_misfit", "sum_v_change", "sum_fit", "sum_v", "sum_lambda"};
  PetscCall(Real(v, "sigma", &split->sigma));
  PetscCall(Real(v, "sigma_initial", &split->sigma_initial));
  for (PetscInt k = 0; k < 5; k++) PetscCall(Real(v, sums[k], &split->sums[k]));
  Samples(v, "/samples/v", split->v);
  Samples(v, "/samples/lambda", split->lambda);
  Samples(v, "/samples/nu_step", split->nu_step);
  PetscCall(Pairs(v, "/pairs/pull", split->pull));
  PetscCall(Pairs(v, "/pairs/A_v", split->A_v));
  PetscCall(Pairs(v, "/pairs/A_lambda", split->A_lambda));
  PetscFunctionReturn(0);
}

/* Records in use come first. */
static PetscErrorCode VisitAccelerator(PsdAccelerator *it, Visit *v)
{
  PetscFunctionBeginUser;
  static const char *const places[] = {"/pairs/record_%d_g", "/pairs/record_%d_g_prime", "/pairs/record_%d_f",
                                       "/pairs/record_%d_f_prime"};
  PetscCall(Int(v, "records", &it->count));
  PetscCall(Int(v, "record_next", &it->next));
  PetscCall(Int(v, "jump_stage", &it->stage));
  PetscCall(Bool(v, "jump_steady", &it->steady));
  PetscCall(Real(v, "jump_stretch", &it->stretch));
  PetscCall(Real(v, "record_norm", &it->norm));
  it->count = PetscMax(0, PetscMin(PSD_RECORDS, it->count));
  it->next = PetscMax(0, PetscMin(PSD_RECORDS - 1, it->next));
  for (PetscInt k = 0; k < it->count; k++) {
    PsdRecord *record = &it->record[k];
    Vec vectors[] = {record->g[0], record->g[1], record->f[0], record->f[1]};
    char name[32];
    for (PetscInt i = 0; i < 4; i++) {
      (void)snprintf(name, sizeof(name), places[i], (int)k);
      PetscCall(Pairs(v, name, vectors[i]));
    }
    (void)snprintf(name, sizeof(name), "/samples/record_%d_g", (int)k);
    Samples(v, name, record->g_samples);
    (void)snprintf(name, sizeof(name), "/samples/record_%d_f", (int)k);
    Samples(v, name, record->f_samples);
  }
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
  PetscCall(Real(v, "beta_asked", &admm->problem->beta_asked));
  PetscCall(Int(v, "round", &admm->round));
  PetscCall(VisitStatus(admm, v));
  PetscCall(VisitPenalty(admm, v));
  PetscCall(VisitSpectrum(&admm->spectrum, v));
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
  if (admm->split) PetscCall(VisitSplit(admm->split, v));
  if (admm->accelerator) PetscCall(VisitAccelerator(admm->accelerator, v));
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
  const PetscInt copies = admm->problem->representatives.copies;
  PetscCall(PsdDataGetSizes(admm->problem->data, &v->n, &v->n_local, &v->first));
  v->n /= copies;
  v->n_local /= copies;
  v->first /= copies;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- all of it */

PetscErrorCode PsdStateAdd(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  Visit v;
  PetscReal mine[2][5], *sums[2] = {admm->sums, admm->split ? admm->split->sums : NULL};
  PetscCall(Begin(admm, archive, ADD, &v));
  for (PetscInt k = 0; k < 2 && sums[k]; k++) {
    PetscCall(PetscArraycpy(mine[k], sums[k], 5));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums[k], 5, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  }
  PetscCall(VisitState(admm, &v));
  for (PetscInt k = 0; k < 2 && sums[k]; k++) PetscCall(PetscArraycpy(sums[k], mine[k], 5));
  PsdArchiveAddReal(archive, "gap_asked_for", admm->settings.gap);
  PetscCall(PsdStateAddLists(admm, archive));
  PetscCall(PsdConeAdd(admm->cone, archive));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdStatePut(PsdAdmm admm, PsdArchive archive)
{
  PetscFunctionBeginUser;
  Visit v;
  PetscCall(Begin(admm, archive, PUT, &v));
  PetscCall(VisitState(admm, &v));
  PetscCall(PsdStatePutLists(admm, archive));
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
  if (rank > 0 && admm->split) PetscCall(PetscArrayzero(admm->split->sums, 5));
  PetscCall(PsdArchiveGetReal(archive, "gap_asked_for", &gap));
  if (gap != admm->settings.gap) admm->round = 0;
  admm->status.rho = admm->rho;
  admm->status.seconds = admm->elapsed;
  PetscCall(PsdArchiveAgree(archive));
  PetscCall(PsdStateGetLists(admm, archive));
  PetscCall(PsdConeGet(admm->cone, archive));
  PetscFunctionReturn(0);
}
