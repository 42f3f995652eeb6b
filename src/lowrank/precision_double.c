/*
   Products with the patches in double precision.
*/
#define PSD_NUMBER PetscReal
#define PSD_TABLE PsdDouble
#define PSD_GEMM PsdGemmDouble
#define PSD_SYRK PsdSyrkDouble
#include "precision_functions.h"
