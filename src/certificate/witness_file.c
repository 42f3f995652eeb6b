/*
   The certificate file (docs/formats.md, "Certificate"): an archive of nu, theta, s, beta and the bound, with what model
   files say of patches and images, so that the file and the images are all that it takes to prove the bound.
*/
#include "witness.h"
#include "base/base.h"
#include "network/network.h"
#include "problem/identity.h"
#include "user_network.h"

#define FORMAT "psdnet-certificate"
#define VERSION 1
#define WEIGHTS "/weights" /* of the samples, where they have any: nu is without them */
#define SUM_LENGTH 9       /* of a checksum in hexadecimal digits */

/* ---------------------------------------------------------------- writing */

/* Places of the arrays of a stage before the patches. */
typedef struct {
  PetscInt transform, mean, filters, channel_transform, channel_mean;
} StageArrays;

/* Of those that the branches' patches are transformed with, and of the stages. */
typedef struct {
  PetscInt transform[PSD_MOST_BRANCHES], mean[PSD_MOST_BRANCHES];
  StageArrays stage[PSD_MOST_STAGES];
} Transforms;

/* The array of that name in the group of stage l, or of one column. */
static PetscInt AddOfStage(PsdArchive archive, PetscInt l, const char name[], PetscInt rows, PetscInt columns)
{
  char path[64];
  (void)snprintf(path, sizeof(path), "/layer%d/%s", (int)l + 1, name);
  return columns > 0 ? PsdArchiveAddArray(archive, path, rows, columns) : PsdArchiveAddVector(archive, path, rows);
}

static void AddStage(PsdArchive archive, PetscInt l, const PsdModelStage *stage, StageArrays *arrays)
{
  *arrays = (StageArrays){-1, -1, -1, -1, -1};
  if (stage->images.has_transform) {
    arrays->transform = AddOfStage(archive, l, "preprocess/transform", stage->images.q, stage->images.f);
    arrays->mean = AddOfStage(archive, l, "preprocess/mean", stage->images.q, 0);
  }
  arrays->filters = AddOfStage(archive, l, "filter", stage->map.count, stage->f);
  if (stage->map.channels == 0) return;
  arrays->channel_transform = AddOfStage(archive, l, "channels/transform", stage->rows, stage->columns);
  arrays->channel_mean = AddOfStage(archive, l, "channels/mean", stage->rows, 0);
}

static void PutStage(PsdArchive archive, const PsdModelStage *stage, const StageArrays *arrays)
{
  const PetscInt64 q = stage->images.q, f = stage->f, rows = stage->rows;
  PsdArchivePut(archive, arrays->transform, 0, q * f, stage->images.transform);
  PsdArchivePut(archive, arrays->mean, 0, q, stage->images.mean);
  PsdArchivePut(archive, arrays->filters, 0, stage->map.count * f, stage->filters);
  PsdArchivePut(archive, arrays->channel_transform, 0, rows * stage->columns, stage->transform);
  PsdArchivePut(archive, arrays->channel_mean, 0, rows, stage->mean);
}

static void AddTransforms(PsdArchive archive, const PsdModel *model, Transforms *arrays)
{
  for (PetscInt l = 0; l < model->stages; l++) AddStage(archive, l, &model->stage[l], &arrays->stage[l]);
  for (PetscInt b = 0; b < model->branches; b++) {
    const PsdModelBranch *branch = &model->branch[b];
    char name[64];
    arrays->transform[b] = arrays->mean[b] = -1;
    if (!branch->has_transform) continue;
    (void)snprintf(name, sizeof(name), "/branch/%d/preprocess/transform", (int)b);
    arrays->transform[b] = PsdArchiveAddArray(archive, name, branch->q, branch->f);
    (void)snprintf(name, sizeof(name), "/branch/%d/preprocess/mean", (int)b);
    arrays->mean[b] = PsdArchiveAddVector(archive, name, branch->q);
  }
}

/* From the root: every rank has them. */
static void PutTransforms(PsdArchive archive, const PsdModel *model, const Transforms *arrays)
{
  for (PetscInt l = 0; l < model->stages; l++) PutStage(archive, &model->stage[l], &arrays->stage[l]);
  for (PetscInt b = 0; b < model->branches; b++) {
    const PsdModelBranch *branch = &model->branch[b];
    PsdArchivePut(archive, arrays->transform[b], 0, (PetscInt64)branch->q * branch->f, branch->transform);
    PsdArchivePut(archive, arrays->mean[b], 0, branch->q, branch->mean);
  }
}

/* The name of the checksum of what samples are labelled with. */
static const char *SumName(PsdProblem problem)
{
  return problem->outputs > 0 ? "checksum_targets" : "checksum_labels";
}

/* Numbers by name, and on the root what HDF5 keeps of the problem. */
static PetscErrorCode AddNumbers(PsdWitness it, PsdProblem problem, const PsdModel *model, PsdArchive archive)
{
  PetscFunctionBeginUser;
  unsigned images, labels;
  char text[SUM_LENGTH];
  PetscMPIInt rank;
  PsdFailure *failure;
  PetscReal bound;
  PetscCall(PsdProblemSumSamples(problem, &images, &labels));
  PetscCall(PsdWitnessGetBound(it, &bound));
  (void)snprintf(text, sizeof(text), "%08x", images);
  PsdArchiveAddText(archive, "checksum_images", text);
  (void)snprintf(text, sizeof(text), "%08x", labels);
  PsdArchiveAddText(archive, SumName(problem), text);
  PsdArchiveAddReal(archive, "s", it->s);
  PsdArchiveAddReal(archive, "bound", bound);
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  const PsdH5File file = PsdArchiveDescribe(archive, &failure);
  if (rank == 0) PsdModelWriteProblem(file, model, failure);
  PetscFunctionReturn(0);
}

/* The order of each region's blocks; PetscFree. */
static PetscErrorCode Orders(PsdProblem problem, PetscReal **orders)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(problem->blocks->G, orders));
  for (PetscInt g = 0; g < problem->blocks->G; g++) (*orders)[g] = (PetscReal)problem->blocks->region[g].d;
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(PsdWitness it, PsdProblem problem, const PsdModel *model, const char path[])
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscInt64 C = blocks->C;
  PsdArchive archive;
  Transforms transforms;
  PetscReal *orders, *multipliers, *points;
  PetscMPIInt rank;
  PetscInt first, weights = -1;
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  PetscCall(PsdDataGetSizes(problem->data, NULL, NULL, &first));
  PetscCall(PsdArchiveCreate(it->comm, path, FORMAT, VERSION, &archive));
  PetscCall(AddNumbers(it, problem, model, archive));
  const PetscInt nu = PsdArchiveAddArray(archive, "/nu", problem->n, C);
  const PetscInt theta = PsdArchiveAddArray(archive, "/theta", blocks->pairs, 2);
  const PetscInt order = PsdArchiveAddVector(archive, "/order", blocks->G);
  if (problem->weights) weights = PsdArchiveAddVector(archive, WEIGHTS, problem->n);
  AddTransforms(archive, model, &transforms);
  PetscCall(Orders(problem, &orders));
  PetscCall(PetscMalloc1(2 * (size_t)it->local, &multipliers));
  PetscCall(PetscMalloc1((size_t)it->n_local * C, &points));
  for (PetscInt k = 0; k < 2 * it->local; k++)
    multipliers[k] = PsdFromUnits(problem->units, PSD_UNIT_BETA, it->theta[k]);
  for (size_t k = 0; k < (size_t)it->n_local * (size_t)C; k++)
    points[k] = PsdFromUnits(problem->units, PSD_UNIT_SLOPE, it->nu[k]);
  const PetscErrorCode laid_out = PsdArchiveLayout(archive);
  if (!laid_out) {
    PsdArchivePut(archive, nu, first * C, it->n_local * C, points);
    PsdArchivePut(archive, theta, 2 * (PetscInt64)blocks->first, 2 * (PetscInt64)blocks->local, multipliers);
    if (problem->weights) PsdArchivePut(archive, weights, first, it->n_local, problem->weights);
    if (rank == 0) PutTransforms(archive, model, &transforms);
    if (rank == 0) PsdArchivePut(archive, order, 0, blocks->G, orders);
  }
  PetscCall(PetscFree(orders));
  PetscCall(PetscFree(multipliers));
  PetscCall(PetscFree(points));
  PetscCall(PsdArchiveCommit(&archive)); /* also what Layout has found */
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessSave(PsdWitness it, PsdProblem problem, const char path[])
{
  PetscFunctionBeginUser;
  PsdNetwork network;
  PsdTraining training;
  PsdModel model;
  PetscCheck(it->multiplied, it->comm, PETSC_ERR_ORDER, "The witness is empty");
  PetscCall(PsdProblemDescribe(problem, &network));
  PetscCall(PsdNetworkGetTraining(network, &training));
  training.beta = PsdFromUnits(problem->units, PSD_UNIT_BETA, it->beta);
  PetscCall(PsdNetworkSetTraining(network, &training));
  PetscCall(PsdNetworkDescribe(network, &model));
  const PetscErrorCode written = Write(it, problem, &model, path);
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(written);
}

/* ---------------------------------------------------------------- reading */

/* The problem: on the root from the file, then on all ranks. */
static PetscErrorCode LoadProblem(PsdWitness it)
{
  PetscFunctionBeginUser;
  PsdFailure *failure;
  PsdModel model = {0};
  PetscMPIInt rank;
  const PsdH5Group file = PsdArchiveDescription(it->archive, &failure);
  PetscCallMPI(MPI_Comm_rank(it->comm, &rank));
  if (rank == 0) PsdModelReadProblem(file, &model, failure);
  PetscErrorCode code = PsdArchiveAgree(it->archive);
  if (!code) {
    model.N = 0;
    code = PsdNetworkShare(it->comm, &model, &it->network);
  }
  PsdModelFree(&model);
  PetscFunctionReturn(code);
}

PetscErrorCode PsdWitnessLoad(MPI_Comm comm, const char path[], PsdWitness *witness)
{
  PetscFunctionBeginUser;
  PsdWitness it;
  PetscCall(PsdWitnessCreate(comm, &it));
  PetscCall(PetscStrncpy(it->path, path, sizeof(it->path)));
  PetscErrorCode code = PsdArchiveOpen(comm, path, FORMAT, VERSION, &it->archive);
  if (!code) code = LoadProblem(it);
  if (!code) {
    PetscCall(PsdArchiveGetReal(it->archive, "s", &it->s));
    PetscCall(PsdArchiveGetReal(it->archive, "bound", &it->bound));
    if (it->s < 0) PsdArchiveFail(it->archive, "s is negative");
    code = PsdArchiveAgree(it->archive);
  }
  if (code) PetscCall(PsdWitnessDestroy(&it));
  *witness = it;
  PetscFunctionReturn(code);
}

PetscErrorCode PsdWitnessGetNetwork(PsdWitness witness, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  *network = witness->network;
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSum(PsdWitness it, const char name[], const char of[], unsigned expected)
{
  PetscFunctionBeginUser;
  char *found, text[SUM_LENGTH], line[128];
  PetscBool same;
  PetscCall(PetscMalloc1(PSD_ARCHIVE_TEXT, &found));
  PetscCall(PsdArchiveGetText(it->archive, name, found));
  (void)snprintf(text, sizeof(text), "%08x", expected);
  PetscCall(PetscStrcmp(found, text, &same));
  (void)snprintf(line, sizeof(line), "it is of other %s: their checksum is %.8s, found %s", of, found, text);
  if (!same) PsdArchiveFail(it->archive, line);
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

/* That theta is of blocks as they are here. */
static PetscErrorCode CheckOrders(PsdWitness it, PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PetscInt G = problem->blocks->G;
  PetscReal *expected, *found;
  PetscInt order;
  PetscCall(Orders(problem, &expected));
  PetscCall(PetscMalloc1(G, &found));
  (void)PsdArchiveFind(it->archive, "/order", G, &order);
  PetscErrorCode code = PsdArchiveAgree(it->archive);
  if (!code) code = PsdArchiveGetAll(it->archive, order, found);
  for (PetscInt g = 0; g < G && !code; g++)
    if (found[g] != expected[g])
      PsdArchiveFail(it->archive, "its blocks are of another order than those of its patches");
  PetscCall(PetscFree(expected));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(code);
}

/* That the samples have the file's weights; what fails is agreed on later. */
static PetscErrorCode CheckWeights(PsdWitness it, PsdProblem problem, PetscInt first)
{
  PetscFunctionBeginUser;
  PetscReal *found;
  PetscInt weights;
  PetscBool same = PETSC_TRUE;
  if (PsdArchiveFind(it->archive, WEIGHTS, -1, &weights) != (problem->weights ? problem->n : 0)) {
    PsdArchiveFail(it->archive, problem->weights ? "it is of images without weights, and these have weights"
                                                 : "it is of images with weights, and these have none");
    PetscFunctionReturn(0);
  }
  if (!problem->weights) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(it->n_local, &found));
  PsdArchiveGet(it->archive, weights, first, it->n_local, found);
  for (PetscInt i = 0; i < it->n_local; i++) same = (PetscBool)(same && found[i] == problem->weights[i]);
  if (!same) PsdArchiveFail(it->archive, "it is of other weights of the images");
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

/* That the samples are those of the file; then its numbers, of which every rank reads its own. */
static PetscErrorCode ReadNumbers(PsdWitness it, PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const PetscInt64 C = blocks->C;
  PetscInt nu, theta, first;
  unsigned images, labels;
  PetscCall(PsdProblemSumSamples(problem, &images, &labels));
  PetscCall(CheckSum(it, "checksum_images", "images", images));
  PetscCall(CheckSum(it, SumName(problem), problem->outputs > 0 ? "targets" : "labels", labels));
  PetscCall(CheckOrders(it, problem));
  (void)PsdArchiveFind(it->archive, "/nu", problem->n * C, &nu);
  const PetscInt64 given = PsdArchiveFind(it->archive, "/theta", -1, &theta);
  if (given > 0) (void)PsdArchiveFind(it->archive, "/theta", 2 * (PetscInt64)blocks->pairs, &theta);
  PetscCall(PsdArchiveAgree(it->archive));
  PetscCall(PsdDataGetSizes(problem->data, NULL, NULL, &first));
  PetscCall(PsdWitnessAllocate(it, problem));
  it->multiplied = (PetscBool)(given > 0);
  PetscCall(CheckWeights(it, problem, first));
  PsdArchiveGet(it->archive, nu, first * C, it->n_local * C, it->nu);
  if (it->multiplied)
    PsdArchiveGet(it->archive, theta, 2 * (PetscInt64)blocks->first, 2 * (PetscInt64)blocks->local, it->theta);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdWitnessRead(PsdWitness it, PsdProblem problem)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscCheck(it->archive, it->comm, PETSC_ERR_ORDER, "The witness was not loaded, or has been read");
  PetscCall(ReadNumbers(it, problem));
  PetscCall(PsdArchiveClose(&it->archive));
  PetscCall(PsdNetworkGetTraining(it->network, &training));
  PetscCall(PsdProblemTakeBeta(problem, training.beta));
  it->beta = problem->beta;
  for (PetscInt k = 0; k < 2 * it->local; k++) it->theta[k] = PsdToUnits(problem->units, PSD_UNIT_BETA, it->theta[k]);
  for (size_t k = 0; k < (size_t)it->n_local * (size_t)problem->blocks->C; k++)
    it->nu[k] = PsdToUnits(problem->units, PSD_UNIT_SLOPE, it->nu[k]);
  it->bound = PsdToUnits(problem->units, PSD_UNIT_OBJECTIVE, it->bound);
  PetscFunctionReturn(0);
}
