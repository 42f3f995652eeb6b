/*
   What Open MPI need not do for a command that no launcher has started, which is one process: start a daemon, a third
   of a second, and look for networks to other processes, of which a library measures the clock for a fifth of a second.

   A launcher, and the manager of a cluster, say so in the environment. What the user says of Open MPI's parameters
   stays.
*/
#include "app.h"
#include <stdlib.h>

/* Each is set for a process by a launcher: Open MPI's and PRRTE's, PMIx's, those of PMI (MPICH, Intel, Cray), Slurm's,
   Flux's. */
static const char *const of_launchers[] = {"OMPI_COMM_WORLD_SIZE",
                                           "PMIX_RANK",
                                           "PMIX_NAMESPACE",
                                           "PMI_RANK",
                                           "PMI_SIZE",
                                           "PMI_FD",
                                           "SLURM_PROCID",
                                           "PALS_RANKID",
                                           "ALPS_APP_PE",
                                           "JSM_NAMESPACE_RANK",
                                           "MPI_LOCALRANKID",
                                           "MPIRUN_RANK",
                                           "FLUX_TASK_RANK",
                                           "OMPI_MCA_ess_base_vpid"};

void PsdStartAlone(void)
{
  (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0); /* nothing to a process that is not by itself */
  for (size_t k = 0; k < sizeof(of_launchers) / sizeof(*of_launchers); k++)
    if (getenv(of_launchers[k])) return;
  (void)setenv("OMPI_MCA_pml", "ob1", 0);
  (void)setenv("OMPI_MCA_btl", "self", 0);
}
