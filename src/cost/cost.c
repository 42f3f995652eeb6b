/*
   The arithmetic of costs: sizes that follow from others, lists of memory items, sums of seconds and flops.
*/
#include "cost.h"

void PsdSizesSet(PetscInt n, PetscInt ranks, PetscInt C, PetscInt G, PetscInt positions, PetscInt q, PetscInt f,
                 PetscInt image, PsdSizes *sizes)
{
  const PetscInt most = (n + ranks - 1) / ranks;
  *sizes = (PsdSizes){.ranks = ranks, .pairs = C * G, .C = C, .G = G, .branches = 1};
  sizes->n = n;
  sizes->n_local = most;
  sizes->image = image;
  sizes->positions = positions;
  sizes->q = q;
  sizes->f = f;
  sizes->d = f + 1;
  sizes->m = sizes->d * (sizes->d + 1) / 2;
  sizes->D = sizes->m * G;
  sizes->order = sizes->D;
}

void PsdSizesFold(PetscReal order, PsdSizes *sizes)
{
  sizes->order = order;
  sizes->folded = PETSC_TRUE;
}

PetscReal PsdSizesRows(const PsdSizes *sizes, PetscReal samples)
{
  return sizes->folded ? samples / 2 : samples;
}

PetscReal PsdSizesPairsMost(const PsdSizes *sizes)
{
  return PetscCeilReal((PetscReal)sizes->pairs / (PetscReal)sizes->ranks);
}

PetscReal PsdSizesPairsLeast(const PsdSizes *sizes)
{
  return sizes->pairs >= sizes->ranks ? PsdSizesPairsMost(sizes) : 0;
}

void PsdMemoryAdd(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal root, PetscReal others)
{
  if (root + others > 0) memory->item[memory->count++] = (PsdMemoryItem){name, root, others, first, last};
}

void PsdMemoryPeak(const PsdMemory *memory, PetscReal *root, PetscReal *others)
{
  *root = *others = 0;
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscReal here = 0, there = 0;
    for (PetscInt k = 0; k < memory->count; k++) {
      const PsdMemoryItem *item = &memory->item[k];
      if (phase < (int)item->first || phase > (int)item->last) continue;
      here += item->root;
      there += item->others;
    }
    *root = PetscMax(*root, here);
    *others = PetscMax(*others, there);
  }
}

PsdRates PsdRatesNominal(const PsdSizes *sizes)
{
  const PetscReal gemm = 45e9;
  return (PsdRates){.gemm = gemm,
                    .syrk = gemm,
                    .potrf = 0.8 * gemm,
                    .bandwidth = 8e9,
                    .eigen = 150e-12,
                    .lift = sizes->positions * sizes->q * sizes->q / (0.5 * gemm)};
}

PsdCost PsdCostWork(PetscReal flops, PetscReal rate)
{
  return (PsdCost){flops / rate, flops};
}

PsdCost PsdCostMove(PetscReal bytes, const PsdRates *rates)
{
  return (PsdCost){bytes / rates->bandwidth, 0};
}

PsdCost PsdCostSum(PsdCost a, PsdCost b)
{
  return (PsdCost){a.seconds + b.seconds, a.flops + b.flops};
}

PsdCost PsdCostTimes(PetscReal count, PsdCost cost)
{
  return (PsdCost){count * cost.seconds, count * cost.flops};
}
