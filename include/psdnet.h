/*
   libpsdnet: two-layer convolutional networks with quadratic activation, trained to a certified global optimum.

     data -> patches -> problem -> admm -> network (+ certificate)

   Each is an opaque handle with Create / SetFromOptions / SetUp / Destroy; see the headers for what they promise.
*/
#ifndef PSDNET_H
#define PSDNET_H

#include <psdadmm.h>
#include <psdbase.h>
#include <psdcertificate.h>
#include <psddata.h>
#include <psdnetwork.h>
#include <psdpatches.h>
#include <psdproblem.h>
#include <psdsys.h>

#endif
