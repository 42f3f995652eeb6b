/*
   Whether two networks are of the same convex program, so that a bound of the one is a bound of the other.
*/
#include "network.h"
#include <string.h>

static PetscBool SameGeometry(const PsdPatchGeometry *a, const PsdPatchGeometry *b)
{
  return (PetscBool)(a->channels == b->channels && a->height == b->height && a->width == b->width &&
                     a->patch_height == b->patch_height && a->patch_width == b->patch_width && a->stride == b->stride &&
                     a->pool == b->pool && a->pixel_shift == b->pixel_shift && a->pixel_scale == b->pixel_scale &&
                     a->normalize == b->normalize && PetscMax(1, a->reduce) == PetscMax(1, b->reduce) &&
                     a->overlap == b->overlap && a->shared == b->shared && a->lift == b->lift && a->bits == b->bits &&
                     a->step == b->step && a->low == b->low && a->stage == b->stage && a->responses == b->responses);
}

static PetscBool SameNumbers(size_t count, const PetscReal a[], const PetscReal b[])
{
  for (size_t k = 0; k < count; k++)
    if (a[k] != b[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscBool SameTransform(const PsdModelBranch *a, const PsdModelBranch *b)
{
  if (a->has_transform != b->has_transform) return PETSC_FALSE;
  if (!a->has_transform) return PETSC_TRUE;
  const size_t q = (size_t)a->q, f = (size_t)a->f;
  return (PetscBool)(a->q == b->q && a->f == b->f && SameNumbers(q * f, a->transform, b->transform) &&
                     SameNumbers(q, a->mean, b->mean));
}

static PetscBool SameStage(const PsdModelStage *a, const PsdModelStage *b)
{
  const PsdMapGeometry *m = &a->map, *n = &b->map;
  if (!SameGeometry(&a->images.geometry, &b->images.geometry) || !SameTransform(&a->images, &b->images))
    return PETSC_FALSE;
  if (m->count != n->count || m->threshold != n->threshold || m->split != n->split || m->channels != n->channels ||
      m->normalize != n->normalize || m->responses != n->responses || m->response_scale != n->response_scale ||
      a->f != b->f)
    return PETSC_FALSE;
  if (!SameNumbers((size_t)m->count * a->f, a->filters, b->filters)) return PETSC_FALSE;
  const size_t rows = m->channels > 0 ? (size_t)a->rows : 0, columns = (size_t)m->channels;
  return (PetscBool)(SameNumbers(rows * columns, a->transform, b->transform) && SameNumbers(rows, a->mean, b->mean));
}

static PetscBool SameStages(const PsdModel *a, const PsdModel *b)
{
  if (a->stages != b->stages) return PETSC_FALSE;
  for (PetscInt l = 0; l < a->stages; l++)
    if (!SameStage(&a->stage[l], &b->stage[l])) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* What differs, or NULL. */
static const char *Difference(const PsdModel *a, const PsdModel *b)
{
  const PsdTraining *t = &a->training, *u = &b->training;
  if (strcmp(t->loss, u->loss)) return "loss";
  if (t->loss_parameter != u->loss_parameter) return "parameter of the loss";
  if (t->beta != u->beta) return "beta";
  if (!SameNumbers(3, t->activation, u->activation)) return "activation";
  if (t->n_train != u->n_train || t->flip != u->flip || PetscMax(1, t->shifts) != PetscMax(1, u->shifts))
    return "number of samples";
  if (a->outputs != b->outputs) return "number of outputs";
  if (a->count != b->count) return "number of classes";
  if (a->count > 0 && memcmp(a->labels, b->labels, (size_t)a->count * sizeof(*a->labels)) != 0) return "classes";
  if (!SameStages(a, b)) return a->stages + b->stages > 2 ? "chain of stages" : "stage before the patches";
  if (a->branches != b->branches) return "number of branches";
  for (PetscInt k = 0; k < a->branches; k++) {
    if (!SameGeometry(&a->branch[k].geometry, &b->branch[k].geometry)) return "geometry of the patches";
    if (!SameTransform(&a->branch[k], &b->branch[k])) return "preprocessing of the patches";
  }
  return NULL;
}

PetscErrorCode PsdNetworkCheckProblem(PsdNetwork network, const char what[], PsdNetwork of, const char other[])
{
  PsdModel a, b;

  PetscFunctionBeginUser;
  PetscCall(PsdNetworkDescribe(network, &a));
  PetscCall(PsdNetworkDescribe(of, &b));
  const char *difference = Difference(&a, &b);
  PsdCheckInput(!difference, "%s and %s are of different problems: the %s differs", what, other, difference);
  PetscFunctionReturn(0);
}
