/*
   Products with the patches in single precision.
*/
#define PSD_NUMBER float
#define PSD_TABLE PsdSingle
#define PSD_GEMM PsdGemmSingle
#define PSD_SYRK PsdSyrkSingle
#include "precision_functions.h"
