/*
   What the subcommands that train do alike: from options that were read to a solver that is ready, and from its result
   to a network on disk and its accuracy on images that were held out.
*/
#include "app.h"

PetscErrorCode PsdTrainingSamples(PsdData data)
{
  PetscFunctionBeginUser;
  PetscBool flip = PETSC_FALSE;
  PetscInt shifts = 1;
  PetscCall(PsdOptionBool("-flip", "train on the mirror images as well", &flip, NULL));
  PetscCall(PsdOptionShifts(&shifts));
  PetscCall(PsdDataSetMirror(data, flip));
  PetscCall(PsdDataSetShifts(data, shifts));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingPatches(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PetscBool wanted;
  PetscCall(PsdPatchesSetFromOptions(patches));
  PetscCall(PsdMapsCreate(PETSC_COMM_WORLD, &maps));
  PetscCall(PsdMapsSetFromOptions(maps, &wanted));
  if (wanted) PetscCall(PsdPatchesSetMaps(patches, maps));
  PetscCall(PsdMapsDestroy(&maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingFilters(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PsdMapRequest request;
  PsdNetwork network;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (!maps) PetscFunctionReturn(0);
  PetscCall(PsdMapsGetRequest(maps, &request));
  if (!request.model[0]) PetscFunctionReturn(0);
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, request.model, &network));
  PetscCall(PsdNetworkGiveFilters(network, maps));
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingSetUp(PsdData data, PsdPatches patches, PsdProblem problem, PsdSolver solver)
{
  PetscFunctionBeginUser;
  PetscInt channels, height, width;
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PetscCall(PsdTrainingFilters(patches));
  PetscCall(PsdMapsSetSizes(patches, channels, height, width));
  PetscCall(PsdProblemSetUp(problem));
  PetscCall(PsdSolverSetUp(solver));
  PetscFunctionReturn(0);
}

/* Those below first. */
static PetscErrorCode PrintStage(PsdMaps maps)
{
  PetscFunctionBeginUser;
  PsdMaps below;
  PsdPatchGeometry g;
  PsdMapGeometry map;
  PsdMapRequest request;
  PetscInt channels, side;
  PetscCall(PsdMapsGetBelow(maps, &below));
  if (below) PetscCall(PrintStage(below));
  PetscCall(PsdMapsGetGeometry(maps, &g, &map));
  PetscCall(PsdMapsGetSize(maps, &channels, &side, NULL));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "maps %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT " of %" PetscInt_FMT
                        " fixed filters %" PetscInt_FMT "x%" PetscInt_FMT "; ",
                        channels, side, side, map.count, g.patch_height, g.patch_width));
  PetscCall(PsdMapsGetRequest(maps, &request));
  if (request.mirror) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "half of them mirror images of the others; "));
  if (map.responses > 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "responses %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT "; ",
                          (map.split ? 2 : 1) * map.count, map.responses, map.responses));
  if (map.responses > 0 && map.response_scale > 0 && map.response_scale != 1)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "times %g; ", (double)map.response_scale));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintMaps(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (maps) PetscCall(PrintStage(maps));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintBranches(PsdPatches patches)
{
  PetscFunctionBeginUser;
  PetscInt branches;
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PsdPatchGeometry g;
    PetscReal whiten;
    PetscInt pca;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetGeometry(branch, &g));
    PetscCall(PsdPatchesGetPreprocessing(branch, &whiten, &pca));
    if (g.responses) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "on responses: "));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "patch %" PetscInt_FMT "x%" PetscInt_FMT " stride %" PetscInt_FMT " pool %" PetscInt_FMT,
                          g.patch_height, g.patch_width, g.stride, g.pool));
    if (g.stage > 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " stage %" PetscInt_FMT, g.stage));
    if (g.overlap > 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " overlap %" PetscInt_FMT, g.overlap));
    if (g.reduce > 1) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " reduce %" PetscInt_FMT, g.reduce));
    if (g.normalize > 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " normalised %g", (double)g.normalize));
    if (whiten > 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " whitened %g", (double)whiten));
    if (pca > 0) PetscCall(PetscPrintf(PETSC_COMM_WORLD, " pca %" PetscInt_FMT, pca));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "; "));
  }
  PetscFunctionReturn(0);
}

/* Of samples that have weights: from the least to the largest, and all together. */
static PetscErrorCode DescribeWeights(PsdData data, char text[], size_t size, PsdReport *report)
{
  PetscFunctionBeginUser;
  const PetscReal *weights;
  PetscInt n_local;
  PetscReal most[2] = {-PETSC_MAX_REAL, -PETSC_MAX_REAL}, sum = 0; /* the second is of the weights times -1 */
  PetscCall(PsdDataGetWeights(data, &weights));
  PetscCall(PsdDataGetSizes(data, NULL, &n_local, NULL));
  for (PetscInt i = 0; i < n_local; i++) {
    const PetscReal weight = weights ? weights[i] : 1;
    most[0] = PetscMax(most[0], weight);
    most[1] = PetscMax(most[1], -weight);
    sum += weight;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPIU_REAL, MPI_MAX, PETSC_COMM_WORLD));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  report->weighted = (PetscBool)(most[0] != 1 || most[1] != -1);
  if (!report->weighted) PetscFunctionReturn(0);
  report->least_weight = -most[1];
  report->largest_weight = most[0];
  report->sum_of_weights = sum;
  PetscCall(PetscSNPrintf(text, size, " (weights %.6g to %.6g, %.6g in all)", (double)-most[1], (double)most[0],
                          (double)sum));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingDescribe(PsdData data, PsdPatches patches, PsdProblem problem, PsdReport *report)
{
  PetscFunctionBeginUser;
  PetscInt C, G, copies, shifts, order;
  PetscMPIInt ranks;
  char folded[48] = "", shifted[48] = "", weighted[80] = "", task[48];
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(PsdDataGetCopies(data, &copies));
  PetscCall(PsdProblemGetSizes(problem, &report->n, &report->f, &C, &G, &report->D));
  PetscCall(PsdProblemGetBeta(problem, NULL, &report->beta_max));
  PetscCall(PsdProblemGetBetaAsked(problem, &report->beta));
  PetscCall(PsdProblemGetLoss(problem, &report->loss));
  report->blocks = 2 * C * G;
  PetscCall(PsdDataGetTargets(data, &report->outputs, NULL));
  if (report->outputs > 0) PetscCall(PetscSNPrintf(task, sizeof(task), "regression on %" PetscInt_FMT " targets", C));
  else PetscCall(PetscSNPrintf(task, sizeof(task), "%" PetscInt_FMT " classes", C == 1 ? 2 : C));
  PetscCall(PsdDataGetShifts(data, &shifts));
  if (shifts > 1) PetscCall(PetscSNPrintf(shifted, sizeof(shifted), " (%" PetscInt_FMT " shifts of each)", shifts));
  PetscCall(DescribeWeights(data, weighted, sizeof(weighted), report));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "problem  %" PetscInt_FMT " images%s%s%s, %s; ", report->n, shifted,
                        copies == 2 ? " (half of them mirrored)" : "", weighted, task));
  PetscCall(PrintMaps(patches));
  PetscCall(PrintBranches(patches));
  PetscCall(PsdProblemGetOrder(problem, &order));
  if (order < report->D) PetscCall(PetscSNPrintf(folded, sizeof(folded), " (folded to %" PetscInt_FMT ")", order));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "f %" PetscInt_FMT ", D %" PetscInt_FMT "%s, %" PetscInt_FMT
                        " blocks; loss %s, beta %.6g (beta_max %.6g); ranks %d\n",
                        report->f, report->D, folded, report->blocks, report->loss, (double)report->beta,
                        (double)report->beta_max, (int)ranks));
  if (report->beta_max == 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "         the features say nothing of the targets: the network without "
                                            "neurons is optimal for every beta\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingSave(PsdSolver solver, const PsdCertificate *certificate, const char path[],
                               PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PetscCall(PsdPhaseBegin(PSD_PHASE_WRITE));
  PetscCall(PsdSolverGetNetwork(solver, network));
  PetscCall(PsdNetworkSetCertificate(*network, certificate));
  if (path[0]) PetscCall(PsdNetworkSave(*network, path));
  PetscCall(PsdPhaseEnd(PSD_PHASE_WRITE));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdTrainingExplain(const PsdCertificate *certificate, PetscReal asked, PsdSolverReason reason)
{
  PetscFunctionBeginUser;
  const char *advice = "try a larger -max_it, or -gap";
  if (certificate->gap <= asked) PetscFunctionReturn(0);
  if (reason == PSD_TIME_LIMIT) advice = "try a larger -time_limit, or -checkpoint FILE and later -resume";
  if (reason == PSD_SIGNAL) advice = "try -checkpoint FILE, with which a run that was stopped goes on by -resume";
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "note     the gap is %.2e where %.2e was asked for; network and bound hold as they are\n",
                        (double)certificate->gap, (double)asked));
  if (certificate->rounding >= asked)
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD,
                    "         %.2e of it is the rounding of the proof, which no iteration takes away: try a larger "
                    "-gap or -beta\n",
                    (double)certificate->rounding));
  else PetscCall(PetscPrintf(PETSC_COMM_WORLD, "         %s\n", advice));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdHeldOutRead(PsdData training, PetscReal fraction, PsdData *held_out)
{
  PetscFunctionBeginUser;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, held_out));
  PetscCall(PsdDataSetFromOptions(*held_out));
  PetscCall(PsdDataSetClassesOf(*held_out, training));
  PetscCall(PsdDataSetValidation(*held_out, fraction, PSD_PART_VALIDATION));
  PetscCall(PsdDataSetUp(*held_out));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdReportPrintFit(const PsdReport *report)
{
  PetscFunctionBeginUser;
  const PetscInt outputs = report->outputs;
  char text[PSD_FIT_LENGTH];
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s %s training", PsdFitName(outputs),
                        PsdFitText(outputs, report->certificate.accuracy, text)));
  if (report->validated)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, ", %s validation", PsdFitText(outputs, report->accuracy_validation, text)));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdHeldOutApply(PsdNetwork network, PsdProblem problem, PsdData held_out, PetscReal *accuracy,
                               PetscReal *loss)
{
  PetscFunctionBeginUser;
  PetscInt count, C, n_local, outputs;
  PsdFit fit;
  PetscReal *scores;
  PetscInt64 *confusion;
  PetscCall(PsdNetworkGetClasses(network, &count, NULL, &C));
  PetscCall(PsdDataGetSizes(held_out, NULL, &n_local, NULL));
  PetscCall(PetscMalloc2((size_t)n_local * C, &scores, (size_t)count * count, &confusion));
  PetscCall(PsdNetworkApply(network, held_out, scores));
  PetscCall(PsdNetworkGetOutputs(network, &outputs));
  if (outputs > 0) PetscCall(PsdNetworkFit(network, held_out, scores, NULL, &fit));
  else PetscCall(PsdNetworkConfusion(network, held_out, scores, confusion, accuracy));
  if (outputs > 0) *accuracy = fit.r2;
  PetscCall(PsdProblemScoresLoss(problem, held_out, scores, loss));
  PetscCall(PetscFree2(scores, confusion));
  PetscFunctionReturn(0);
}
