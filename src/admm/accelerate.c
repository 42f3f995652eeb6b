/*
   Anderson acceleration of losses that are split (docs/mathematics.md, section 2, "Acceleration").

   An iteration is a map of x = (X, X', q), X = Z + U and q = v + lambda, from which Z, U, v and lambda follow. Every few iterations
   what it maps to, g, and the residual f = g - x are recorded. The affine combination of recorded residuals that is smallest, in the
   norm rho ||X||^2 + rho ||X'||^2 + sigma ||q||^2 in which the map is nonexpansive, tells which combination of the g is nearest to a
   fixed point: there x jumps. When residuals no longer change, as along a face of a piecewise linear loss, there is nothing to
   combine: then x goes on along f, twice as far each time.

   What a jump stirs up is large at first and decays within a few iterations, and what is slow shows only after it has: a jump is judged by
   the next record. If its residual is larger than that of the record before the jump, x goes back there. The map is not affine: the records
   were right about the direction then, but not that far, and the next jump is shorter.

   Jumps are made at the beginning of an iteration, so that whatever looks at the solver between two iterations, bounds or a checkpoint,
   finds it where an iteration left it.
*/
#include "admm.h"
#include "base/base.h"
#include <math.h>
#include <petscblaslapack.h>

#define FROM 50            /* the first of them: penalties have settled */
#define REGULARIZED 1e-8   /* of the trace of the least-squares problem */
#define LARGEST 1e4        /* sum of coefficients that is still believed */
#define STEADY 1e-4        /* squared change of f, relative to f, below which it is taken to be the same */
#define FIRST_STRETCH 8    /* iterations that x first goes along it */
#define STEADY_GROWTH 1.01 /* of the residual, that is let pass there: faces are slightly curved */
#define SHORTER 4          /* after a jump that is taken back, ... */
#define LONGER 2           /* ... and after one that stays, up to all of the way */
#define DIGITS 65536.      /* coefficients are multiples of the largest over this, the same on any number of ranks */

PetscErrorCode PsdAcceleratorCreate(PsdProblem problem, PsdAccelerator **accelerator)
{
  PetscFunctionBeginUser;
  PsdAccelerator *it;
  PetscCall(PetscNew(&it));
  it->length = (size_t)problem->representatives.n_local * problem->blocks->C;
  for (PetscInt k = 0; k < PSD_RECORDS; k++) {
    PsdRecord *record = &it->record[k];
    for (PetscInt s = 0; s < 2; s++) {
      PetscCall(VecDuplicate(problem->h, &record->g[s]));
      PetscCall(VecDuplicate(problem->h, &record->f[s]));
    }
    PetscCall(PetscMalloc2(it->length, &record->g_samples, it->length, &record->f_samples));
  }
  it->share = 1;
  PsdAcceleratorReset(it);
  *accelerator = it;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAcceleratorDestroy(PsdAccelerator **accelerator)
{
  PetscFunctionBeginUser;
  if (!*accelerator) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < PSD_RECORDS; k++) {
    PsdRecord *record = &(*accelerator)->record[k];
    for (PetscInt s = 0; s < 2; s++) {
      PetscCall(VecDestroy(&record->g[s]));
      PetscCall(VecDestroy(&record->f[s]));
    }
    PetscCall(PetscFree2(record->g_samples, record->f_samples));
  }
  PetscCall(PetscFree(*accelerator));
  PetscFunctionReturn(0);
}

void PsdAcceleratorReset(PsdAccelerator *it)
{
  if (!it) return;
  it->count = it->next = 0;
  it->stage = PSD_JUMP_NONE;
  it->stretch = FIRST_STRETCH;
  it->noting = PETSC_FALSE;
}

PetscBool PsdAcceleratorGoesBack(const PsdAccelerator *it)
{
  return (PetscBool)(it && it->stage == PSD_JUMP_BACK);
}

/* Record number `age` of those there are, the last one being 0. */
static PsdRecord *Recorded(PsdAccelerator *it, PetscInt age)
{
  return &it->record[(it->next - 1 - age + 2 * PSD_RECORDS) % PSD_RECORDS];
}

static PetscErrorCode LocalDot(PsdAdmm admm, const PsdRecord *a, const PsdRecord *b, PetscReal *dot)
{
  PetscFunctionBeginUser;
  const size_t length = (size_t)admm->blocks->length;
  PetscReal blocks = 0, samples = 0;
  for (PetscInt s = 0; s < 2; s++) {
    const PetscReal *x, *y;
    PetscCall(VecGetArrayRead(a->f[s], &x));
    PetscCall(VecGetArrayRead(b->f[s], &y));
    for (size_t k = 0; k < length; k++) blocks += x[k] * y[k];
    PetscCall(VecRestoreArrayRead(a->f[s], &x));
    PetscCall(VecRestoreArrayRead(b->f[s], &y));
  }
  const PetscReal *weights = admm->problem->representatives.weights;
  const size_t C = (size_t)admm->blocks->C;
  for (size_t k = 0; k < admm->accelerator->length; k++)
    samples += PsdWeightOf(weights, (PetscInt)(k / C)) * (a->f_samples[k] * b->f_samples[k]);
  *dot = admm->penalty.rho * blocks + admm->split->sigma * (PetscReal)admm->problem->representatives.copies * samples;
  PetscFunctionReturn(0);
}

/* ||f|| of a record */
static PetscErrorCode Norm(PsdAdmm admm, const PsdRecord *record, PetscReal *norm)
{
  PetscFunctionBeginUser;
  PetscCall(LocalDot(admm, record, record, norm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, norm, 1, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  *norm = PetscSqrtReal(*norm);
  PetscFunctionReturn(0);
}

/* products: count x count, of all residuals, the last one first */
static PetscErrorCode Products(PsdAdmm admm, PetscReal products[])
{
  PetscFunctionBeginUser;
  PsdAccelerator *it = admm->accelerator;
  const PetscInt count = it->count;
  for (PetscInt a = 0; a < count; a++) {
    for (PetscInt b = 0; b <= a; b++) {
      PetscCall(LocalDot(admm, Recorded(it, a), Recorded(it, b), &products[a * count + b]));
      products[b * count + a] = products[a * count + b];
    }
  }
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, products, (PetscMPIInt)(count * count), MPIU_REAL, MPI_SUM, admm->blocks->comm));
  PetscFunctionReturn(0);
}

/* Rounded, so that rounding of the sums over ranks does not show; c[0] makes the sum 1. */
static void RoundCoefficients(PetscInt count, PetscReal c[])
{
  PetscReal largest = 0;
  for (PetscInt k = 1; k < count; k++) largest = PetscMax(largest, PetscAbsReal(c[k]));
  const PetscReal unit = exp2(ceil(log2(largest))) / DIGITS;
  c[0] = 1;
  for (PetscInt k = 1; k < count && largest > 0; k++) {
    c[k] = unit * rint(c[k] / unit);
    c[0] -= c[k];
  }
}

/* With c_0 = 1 - sum of the others: the smallest || f_0 + sum c_k (f_k - f_0) ||, by its normal equations. */
PetscBool PsdAcceleratorMix(PetscInt count, const PetscReal products[], PetscReal c[])
{
  const PetscReal *P = products;
  PetscReal H[PSD_RECORDS * PSD_RECORDS], trace = 0, sum = 0;
  const PetscBLASInt n = (PetscBLASInt)count - 1, one = 1;
  PetscBLASInt info;
  for (PetscInt a = 0; a < n; a++) {
    const PetscInt row = (a + 1) * count;
    for (PetscInt b = 0; b < n; b++) H[a * n + b] = P[row + b + 1] - P[row] - P[b + 1] + P[0];
    c[a + 1] = P[0] - P[row];
    trace += H[a * n + a];
  }
  for (PetscInt a = 0; a < n; a++) H[a * n + a] += REGULARIZED * trace;
  LAPACKpotrf_("U", &n, H, &n, &info);
  if (info) return PETSC_FALSE;
  LAPACKpotrs_("U", &n, &one, H, &n, c + 1, &n, &info);
  for (PetscInt k = 1; k < count; k++) sum += PetscAbsReal(c[k]);
  if (!(sum <= LARGEST)) return PETSC_FALSE;
  RoundCoefficients(count, c);
  return PETSC_TRUE;
}

/* Z, U, v and lambda of x = sum c_k g_k + stretch f_0; admm->iterate.X and nu_step are overwritten. */
static PetscErrorCode Place(PsdAdmm admm, PetscInt count, const PetscReal c[], PetscReal stretch)
{
  PetscFunctionBeginUser;
  PsdAccelerator *it = admm->accelerator;
  const PsdRecord *last = Recorded(it, 0);
  PetscReal *q = admm->split->nu_step;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecAXPBYPCZ(admm->iterate.X[s], c[0], stretch, 0, last->g[s], last->f[s]));
    for (PetscInt k = 1; k < count; k++) PetscCall(VecAXPY(admm->iterate.X[s], c[k], Recorded(it, k)->g[s]));
  }
  for (size_t i = 0; i < it->length; i++) q[i] = c[0] * last->g_samples[i] + stretch * last->f_samples[i];
  for (PetscInt k = 1; k < count; k++)
    for (size_t i = 0; i < it->length; i++) q[i] += c[k] * Recorded(it, k)->g_samples[i];
  PetscCall(PsdConeProject(admm->cone, admm->iterate.X, admm->iterate.Z));
  for (PetscInt s = 0; s < 2; s++) PetscCall(VecWAXPY(admm->iterate.U[s], -1, admm->iterate.Z[s], admm->iterate.X[s]));
  PetscCall(PsdSplittingPlace(admm->split, q));
  PetscFunctionReturn(0);
}

/* `share` of the way from g_0 to the combination of coefficients c. */
static void Shorten(PetscInt count, PetscReal share, PetscReal c[])
{
  for (PetscInt k = 1; k < count; k++) c[k] *= share;
  c[0] = share * c[0] + (1 - share);
}

/* From the records to where they point to. */
static PetscErrorCode Jump(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdAccelerator *it = admm->accelerator;
  PetscReal products[PSD_RECORDS * PSD_RECORDS], c[PSD_RECORDS] = {1};
  PetscCall(Products(admm, products));
  const PetscReal change = products[0] - 2 * products[1] + products[it->count + 1];
  it->steady = (PetscBool)(change < STEADY * products[0]);
  it->stage = PSD_JUMP_TRIED;
  if (it->steady) {
    PetscCall(Place(admm, 1, c, it->stretch));
  } else if (PsdAcceleratorMix(it->count, products, c)) {
    it->stretch = FIRST_STRETCH;
    Shorten(it->count, it->share, c);
    PetscCall(Place(admm, it->count, c, 0));
  } else {
    PsdAcceleratorReset(it);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAcceleratorBegin(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdAccelerator *it = admm->accelerator;
  const PetscInt iteration = admm->solver->status.iteration + 1;
  const PetscReal whole = 1;
  if (!it) PetscFunctionReturn(0);
  if (it->stage == PSD_JUMP_DUE) {
    PetscCall(Jump(admm));
  } else if (it->stage == PSD_JUMP_BACK) {
    PetscCall(Place(admm, 1, &whole, 0));
    it->stage = PSD_JUMP_NONE;
  }
  it->noting = (PetscBool)(iteration >= FROM && iteration % PSD_JUMP_EVERY == 0);
  if (!it->noting) PetscFunctionReturn(0);
  PsdRecord *record = &it->record[it->next];
  for (PetscInt s = 0; s < 2; s++) PetscCall(VecWAXPY(record->f[s], 1, admm->iterate.Z[s], admm->iterate.U[s]));
  for (size_t i = 0; i < it->length; i++) record->f_samples[i] = admm->split->v[i] + admm->split->lambda[i];
  PetscFunctionReturn(0);
}

/* Whether the jump stays. If not, the record at hand is not used, and neither is the one whose place it took. */
static PetscBool Judge(PsdAdmm admm, PetscReal norm)
{
  PsdAccelerator *it = admm->accelerator;
  const PetscBool good = (PetscBool)(norm <= (it->steady ? STEADY_GROWTH : 1) * it->norm);
  PetscReal *reach = it->steady ? &it->stretch : &it->share;
  (void)PetscInfo(NULL, "iteration %" PetscInt_FMT ": residual %g after a jump (%s %g) from %g%s\n",
                  admm->solver->status.iteration + 1, (double)norm, it->steady ? "stretch" : "share", (double)*reach,
                  (double)it->norm, good ? "" : ": taken back");
  *reach = good ? *reach * LONGER : *reach / SHORTER;
  it->share = PetscMin(1, it->share);
  if (!good) it->count = PetscMin(it->count, PSD_RECORDS - 1);
  it->stage = good ? PSD_JUMP_NONE : PSD_JUMP_BACK;
  return good;
}

PetscErrorCode PsdAcceleratorEnd(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PsdAccelerator *it = admm->accelerator;
  PetscReal norm;
  if (!it || !it->noting) PetscFunctionReturn(0);
  PsdRecord *record = &it->record[it->next];
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecWAXPY(record->g[s], 1, admm->iterate.Z[s], admm->iterate.U[s]));
    PetscCall(VecAYPX(record->f[s], -1, record->g[s]));
  }
  for (size_t i = 0; i < it->length; i++) {
    record->g_samples[i] = admm->split->v[i] + admm->split->lambda[i];
    record->f_samples[i] = record->g_samples[i] - record->f_samples[i];
  }
  PetscCall(Norm(admm, record, &norm));
  if (it->stage == PSD_JUMP_TRIED && !Judge(admm, norm)) PetscFunctionReturn(0);
  it->norm = norm;
  it->next = (it->next + 1) % PSD_RECORDS;
  it->count = PetscMin(it->count + 1, PSD_RECORDS);
  if (it->count > 1) it->stage = PSD_JUMP_DUE;
  PetscFunctionReturn(0);
}

/* A jump or its way back needs two records. */
static PetscBool IsSound(const PsdAccelerator *it)
{
  return (PetscBool)(it->stage == PSD_JUMP_NONE || it->count >= 2);
}

static PetscErrorCode VisitRecord(PsdRecord *record, PetscInt k, PsdVisitor v)
{
  PetscFunctionBeginUser;
  const struct {
    const char *format;
    Vec x;
  } vectors[] = {{"/pairs/record_%d_g", record->g[0]},
                 {"/pairs/record_%d_g_prime", record->g[1]},
                 {"/pairs/record_%d_f", record->f[0]},
                 {"/pairs/record_%d_f_prime", record->f[1]}};
  char name[32];
  for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
    (void)snprintf(name, sizeof(name), vectors[i].format, (int)k);
    PetscCall(PsdVisitPairs(v, name, vectors[i].x));
  }
  (void)snprintf(name, sizeof(name), "/samples/record_%d_g", (int)k);
  PetscCall(PsdVisitSamples(v, name, record->g_samples));
  (void)snprintf(name, sizeof(name), "/samples/record_%d_f", (int)k);
  PetscCall(PsdVisitSamples(v, name, record->f_samples));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAcceleratorVisit(PsdAccelerator *it, PsdVisitor v)
{
  PetscFunctionBeginUser;
  PetscCall(PsdVisitInt(v, "records", 0, PSD_RECORDS, &it->count));
  PetscCall(PsdVisitInt(v, "jump_stage", PSD_JUMP_NONE, PSD_JUMP_BACK, &it->stage));
  PetscCall(PsdVisitBool(v, "jump_steady", &it->steady));
  PetscCall(PsdVisitReal(v, "jump_stretch", PSD_STATE_NONNEGATIVE, &it->stretch));
  PetscCall(PsdVisitReal(v, "jump_share", (PsdRange){0, 1, PETSC_TRUE}, &it->share));
  PetscCall(PsdVisitReal(v, "record_norm", PSD_STATE_NONNEGATIVE, &it->norm));
  if (PsdVisitorIsReading(v) && !IsSound(it)) PsdVisitorFail(v, "its records are not what an iteration leaves");
  PetscCall(PsdVisitorAgree(v));
  if (PsdVisitorIsReading(v)) it->next = it->count % PSD_RECORDS;
  /* the oldest one first */
  for (PetscInt k = 0; k < it->count; k++) PetscCall(VisitRecord(Recorded(it, it->count - 1 - k), k, v));
  PetscFunctionReturn(0);
}
