"""psdnet for Spack: spack repo add jobs/spack; spack dev-build psdnet@0.1.0, in a clone.

There is no archive of a release to fetch: dev-build takes the sources of the current directory.
"""
from spack.package import *


class Psdnet(CMakePackage):
    """Two-layer convolutional networks trained to a certified global optimum, distributed over MPI ranks."""

    version("0.1.0")

    variant("shared", default=True, description="libpsdnet is a shared library")
    variant("native", default=False, description="Compile for this machine's instruction set")
    variant("pictures", default=True, description="Read .npz, PNG and JPEG")
    variant("python", default=True, description="psdnet report, export and the Python module")

    depends_on("c", type="build")
    depends_on("cmake@3.18:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("petsc@3.18: +mpi+double~complex")
    depends_on("slepc@3.18:")
    depends_on("scalapack")
    depends_on("hdf5+mpi")
    depends_on("blas")
    depends_on("lapack")
    depends_on("zlib-api")
    depends_on("libzip", when="+pictures")
    depends_on("libpng", when="+pictures")
    depends_on("jpeg", when="+pictures")
    depends_on("python@3.8:", when="+python", type="run")
    depends_on("py-numpy", when="+python", type="run")
    depends_on("py-h5py", when="+python", type="run")

    def cmake_args(self):
        formats = [self.define_from_variant(f"PSDNET_{library}", "pictures") for library in ("ZIP", "PNG", "JPEG")]
        return [self.define_from_variant("PSDNET_SHARED", "shared"), self.define_from_variant("PSDNET_NATIVE", "native"),
                self.define("PSDNET_TESTS", False), *formats]
