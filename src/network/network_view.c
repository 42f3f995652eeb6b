/*
   What a network says of itself: its neurons and classes, and what its file claims of objective, bound and gap.
*/
#include "network.h"
#include <petscviewer.h>
#include <psdcertificate.h>
#include "maps/mirror_maps.h"

static PetscErrorCode ViewNeurons(PsdNetwork network, PetscViewer viewer)
{
  const PetscInt C = PsdScoreCount(network->count, network->outputs);
  PetscInt *neurons;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(C, &neurons));
  for (PetscInt k = 0; k < network->N; k++) neurons[network->classes[k]]++;
  if (network->outputs > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  regression      %" PetscInt_FMT " output%s", network->outputs,
                                     network->outputs > 1 ? "s" : ""));
  else PetscCall(PetscViewerASCIIPrintf(viewer, "  classes        "));
  for (PetscInt k = 0; k < network->outputs && network->names; k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s %s", k > 0 ? "," : ":", network->names[k]));
  for (PetscInt k = 0; k < network->count; k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, " %" PetscInt_FMT "%s%s%s", network->labels[k], network->names ? " (" : "",
                                     network->names ? network->names[k] : "", network->names ? ")" : ""));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n  neurons         %" PetscInt_FMT, network->N));
  if (C > 1) {
    PetscCall(PetscViewerASCIIPrintf(viewer, network->outputs > 0 ? ", by output" : ", by class"));
    for (PetscInt t = 0; t < C; t++) PetscCall(PetscViewerASCIIPrintf(viewer, " %" PetscInt_FMT, neurons[t]));
  }
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(PetscFree(neurons));
  PetscFunctionReturn(0);
}

/* What contradicts itself in what the file claims, as far as that can be seen without the images; NULL: nothing. The
   sums and quotients of both sides are rounded. */
static const char *Contradiction(PsdNetwork network)
{
  const PsdTraining *t = &network->training;
  const PetscReal primal = t->objective_primal, dual = t->objective_dual;
  PetscReal weight = 0;

  for (PetscInt k = 0; k < network->N; k++) weight += PetscAbsReal(network->weights[k]);
  if (dual > primal) return "the bound is above the objective";
  if (primal < t->beta * weight * (1 - ((PetscReal)network->N + 2) * PETSC_MACHINE_EPSILON))
    return "the objective is below beta times the weights of the neurons";
  if (t->gap * PetscAbsReal(primal) < (primal - dual) * (1 - 4 * PETSC_MACHINE_EPSILON))
    return "the gap is smaller than that of objective and bound";
  return NULL;
}

/* Of these numbers a file can say what it likes. */
static PetscErrorCode ViewClaims(PsdNetwork network, PetscViewer viewer)
{
  const PsdTraining *t = &network->training;
  const char *contradiction = Contradiction(network);
  char primal[PSD_DECIMAL_LENGTH], dual[PSD_DECIMAL_LENGTH], gap[PSD_DECIMAL_LENGTH];

  PetscFunctionBeginUser;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  claimed         objective %s, at least %s, gap %s: by the file, not checked "
                                   "(psdnet certify checks it)\n",
                                   PsdDecimal(t->objective_primal, 10, 'g', PSD_ROUND_UP, primal),
                                   PsdDecimal(t->objective_dual, 10, 'g', PSD_ROUND_DOWN, dual),
                                   PsdDecimal(t->gap, 3, 'g', PSD_ROUND_UP, gap)));
  if (contradiction) PetscCall(PetscViewerASCIIPrintf(viewer, "  contradiction   %s\n", contradiction));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewTraining(PsdNetwork network, PetscViewer viewer)
{
  const PsdTraining *t = &network->training;

  PetscFunctionBeginUser;
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "  loss            %s, %" PetscInt_FMT " training images", t->loss, t->n_train));
  if (t->shifts > 1) PetscCall(PetscViewerASCIIPrintf(viewer, ", in %" PetscInt_FMT " shifts", t->shifts));
  PetscCall(PetscViewerASCIIPrintf(viewer, "%s\n", t->flip ? " and their mirror images" : ""));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  beta            %.6g", (double)t->beta));
  if (t->beta_max > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, ", %.4g of beta_max %.8g", (double)(t->beta / t->beta_max),
                                     (double)t->beta_max));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(ViewClaims(network, viewer));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  activation      %.6g u^2 + %.6g u + %.6g\n", (double)t->activation[0],
                                   (double)t->activation[1], (double)t->activation[2]));
  PetscFunctionReturn(0);
}

/* What is claimed of the network whose neurons are the filters of a stage; number: of the stage. */
static PetscErrorCode ViewOrigin(PsdMaps maps, PetscInt number, PetscViewer viewer)
{
  char primal[PSD_DECIMAL_LENGTH], dual[PSD_DECIMAL_LENGTH], gap[PSD_DECIMAL_LENGTH], given[64] = "the images";
  PsdMapOrigin origin;

  PetscFunctionBeginUser;
  PetscCall(PsdMapsGetOrigin(maps, &origin));
  if (!origin.loss[0]) PetscFunctionReturn(0);
  if (number > 1) PetscCall(PetscSNPrintf(given, sizeof(given), "stage 1"));
  if (number > 2) PetscCall(PetscSNPrintf(given, sizeof(given), "stages 1 to %" PetscInt_FMT, number - 1));
  PetscCall(PetscViewerASCIIPrintf(
      viewer,
      "  network         the heaviest of %" PetscInt_FMT
      " neurons, certified given %s: loss %s, beta %.6g, objective %s, at least %s, gap %s, by its file\n",
      origin.neurons, given, origin.loss, (double)origin.beta, PsdDecimal(origin.primal, 10, 'g', PSD_ROUND_UP, primal),
      PsdDecimal(origin.bound, 10, 'g', PSD_ROUND_DOWN, dual), PsdDecimal(origin.gap, 3, 'g', PSD_ROUND_UP, gap)));
  PetscFunctionReturn(0);
}

/* Those below first; a stage by itself has no number. */
static PetscErrorCode ViewStages(PsdMaps maps, PetscInt number, PetscBool alone, PetscViewer viewer)
{
  PsdMaps below;
  char name[16] = "stage";
  PsdPatchGeometry g;
  PsdMapGeometry map;
  PetscInt channels, height, width;

  PetscFunctionBeginUser;
  PetscCall(PsdMapsGetBelow(maps, &below));
  if (below) PetscCall(ViewStages(below, number - 1, PETSC_FALSE, viewer));
  if (!alone) PetscCall(PetscSNPrintf(name, sizeof(name), "stage %" PetscInt_FMT, number));
  PetscCall(PsdMapsGetGeometry(maps, &g, &map));
  PetscCall(PsdMapsGetSize(maps, &channels, &height, &width));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  %-15s %" PetscInt_FMT " fixed filters of %" PetscInt_FMT "x%" PetscInt_FMT
                                   "x%" PetscInt_FMT ", stride %" PetscInt_FMT ", on %s of %" PetscInt_FMT
                                   "x%" PetscInt_FMT "x%" PetscInt_FMT "\n",
                                   name, map.count, g.channels, g.patch_height, g.patch_width, g.stride,
                                   g.map ? "maps" : "images", g.channels, g.height, g.width));
  if (PsdMapsAreMirrored(maps))
    PetscCall(PetscViewerASCIIPrintf(viewer, "  mirrored        half of them, and the mirror image of each\n"));
  PetscCall(ViewOrigin(maps, number, viewer));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  responses       %s %.6g, in %" PetscInt_FMT " channels of %" PetscInt_FMT
                                   "x%" PetscInt_FMT " places%s\n",
                                   map.split ? "of both signs, above" : "above", (double)map.threshold, channels,
                                   height, width, map.normalize > 0 ? ", normalised" : ""));
  if (map.responses > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer,
                                     "  kept            the responses themselves, %" PetscInt_FMT "x%" PetscInt_FMT
                                     "x%" PetscInt_FMT ", times %.6g\n",
                                     (map.split ? 2 : 1) * map.count, map.responses, map.responses,
                                     (double)(map.response_scale > 0 ? map.response_scale : 1)));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewPatches(PsdPatches patches, PetscViewer viewer)
{
  PsdPatchGeometry g;
  const PetscReal *transform;
  PetscInt q, f, G, positions;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(patches, &g));
  PetscCall(PsdPatchesGetTransform(patches, &transform, NULL));
  PetscCall(PsdPatchesGetSizes(patches, &q, &f, &G, &positions));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  %-15s %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT,
                                   g.responses ? "responses"
                                   : g.map     ? "maps"
                                               : "images",
                                   g.channels, g.height, g.width));
  if (!g.map && g.step > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, ", real numbers of %.6g to %.6g in steps of %.6g", (double)g.low,
                                     (double)(g.low + g.step * (g.bits == 16 ? 65535 : 255)), (double)g.step));
  if (!g.map)
    PetscCall(PetscViewerASCIIPrintf(viewer, ", pixels (value%s - %.6g)/%.6g",
                                     g.bits == 16 && !(g.step > 0) ? "/257" : "", (double)g.pixel_shift,
                                     (double)g.pixel_scale));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  if (g.reduce > 1)
    PetscCall(PetscViewerASCIIPrintf(
        viewer, "  reduced         averages of %" PetscInt_FMT "x%" PetscInt_FMT " pixels\n", g.reduce, g.reduce));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  patches         %" PetscInt_FMT "x%" PetscInt_FMT ", stride %" PetscInt_FMT
                                   ", %" PetscInt_FMT " an image in %" PetscInt_FMT " regions\n",
                                   g.patch_height, g.patch_width, g.stride, positions, G));
  if (g.shared)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  regions         their own mirror images, with a middle in common\n"));
  if (g.overlap > 0)
    PetscCall(PetscViewerASCIIPrintf(
        viewer, "  regions         with %" PetscInt_FMT " positions of their neighbours on every side\n", g.overlap));
  if (g.lift == PSD_LIFT_LINEAR)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  neurons         linear, without the square of the activation\n"));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  preprocessing   "));
  if (g.normalize > 0) PetscCall(PetscViewerASCIIPrintf(viewer, "patches normalised (%.6g), ", (double)g.normalize));
  if (transform)
    PetscCall(PetscViewerASCIIPrintf(viewer, "transform from %" PetscInt_FMT " to %" PetscInt_FMT " numbers\n", q, f));
  else PetscCall(PetscViewerASCIIPrintf(viewer, "no transform, %" PetscInt_FMT " numbers\n", q));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkView(PsdNetwork network, PetscViewer viewer)
{
  PetscInt branches = 0, stages;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCall(PetscViewerASCIIPrintf(viewer, "network\n"));
  PetscCall(ViewNeurons(network, viewer));
  PetscCall(ViewTraining(network, viewer));
  if (network->patches) {
    PsdMaps maps;
    PetscCall(PsdPatchesGetBranchCount(network->patches, &branches));
    PetscCall(PsdPatchesGetMaps(network->patches, &maps));
    if (maps) PetscCall(PsdMapsGetDepth(maps, &stages));
    if (maps) PetscCall(ViewStages(maps, stages, (PetscBool)(stages == 1), viewer));
  }
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(network->patches, b, &branch));
    PetscCall(ViewPatches(branch, viewer));
  }
  PetscFunctionReturn(0);
}
