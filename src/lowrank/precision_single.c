/*
   Products with the patches in single precision.
*/
#define PSD_NUMBER float
#define PSD_TABLE PsdSingle
#define PSD_GEMM PsdGemmSingle
#include "precision_functions.h"
