/*
   Subcommands that are made in Python: this process becomes `python3 -m psdnet SUBCOMMAND ...`
   (src/python/psdnet/commands.py) once PETSc and MPI have ended, on the root alone.

   The module is where it was installed, seen from the command, or beside the command in a build; Python is the
   environment's PYTHON, or else the first one that has h5py and numpy.
*/
#include "app.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char **later; /* python3 -m psdnet and so on, NULL at the end; NULL: there is nothing to be done */
enum { FIRST = 3 };  /* words before those of the subcommand */

PetscErrorCode PsdPythonLater(PetscInt count, const char *const words[])
{
  PetscFunctionBeginUser;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank > 0) PetscFunctionReturn(0);
  later = calloc((size_t)count + FIRST + 1, sizeof(*later)); /* PETSc's memory would be gone */
  PetscCheck(later, PETSC_COMM_SELF, PETSC_ERR_MEM, "PsdPythonLater");
  for (PetscInt k = 0; k < count + FIRST; k++) {
    static const char *const first[FIRST] = {"python3", "-m", "psdnet"};
    later[k] = strdup(k < FIRST ? first[k] : words[k - FIRST]);
    PetscCheck(later[k], PETSC_COMM_SELF, PETSC_ERR_MEM, "PsdPythonLater");
  }
  PetscFunctionReturn(0);
}

/* Whether the module is in a folder beside the command; if so Python is told. */
static PetscBool FindModule(const char beside[])
{
  char command[PETSC_MAX_PATH_LEN], folder[2 * PETSC_MAX_PATH_LEN], file[3 * PETSC_MAX_PATH_LEN];
  const ssize_t length = readlink("/proc/self/exe", command, sizeof(command) - 1);
  if (length <= 0) return PETSC_FALSE;
  command[length] = '\0';
  *strrchr(command, '/') = '\0';
  snprintf(folder, sizeof(folder), "%s/%s", command, beside);
  snprintf(file, sizeof(file), "%s/psdnet/commands.py", folder);
  if (access(file, R_OK)) return PETSC_FALSE;
  const char *others = getenv("PYTHONPATH");
  snprintf(file, sizeof(file), "%s%s%s", folder, others && *others ? ":" : "", others ? others : "");
  return (PetscBool)!setenv("PYTHONPATH", file, 1);
}

/* h5py may look for the MPI that started it, which is over. */
static void ForgetLauncher(void)
{
  static const char *const prefixes[] = {"OMPI_", "PMIX_", "PMI_"};
  for (size_t k = 0; k < sizeof(prefixes) / sizeof(*prefixes); k++)
    for (char **entry = environ; *entry;) {
      char name[128];
      const size_t length = strcspn(*entry, "=");
      snprintf(name, sizeof(name), "%.*s", (int)length, *entry);
      if (!strncmp(name, prefixes[k], strlen(prefixes[k])) && length < sizeof(name) && !unsetenv(name)) entry = environ;
      else entry++;
    }
}

/* Whether this Python can read a model. */
static PetscBool CanRead(const char python[])
{
  int status = 1;
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    execlp(python, python, "-c", "import h5py, numpy", (char *)NULL);
    _exit(1);
  }
  return (PetscBool)(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static const char *FindPython(void)
{
  static const char *const usual[] = {"python3", "/usr/bin/python3"};
  const char *chosen = getenv("PYTHON");
  if (chosen && *chosen) return chosen;
  for (size_t k = 0; k < sizeof(usual) / sizeof(*usual); k++)
    if (CanRead(usual[k])) return usual[k];
  return NULL;
}

int PsdPythonRun(void)
{
  if (!later) return PSD_EXIT_DONE;
  ForgetLauncher();
  if (!FindModule(PSD_PYTHON_INSTALLED))
    (void)FindModule("python"); /* else it is where Python looks by itself, or nowhere */
  const char *python = FindPython();
  if (python) execvp(python, later);
  if (python) fprintf(stderr, "psdnet: error: %s: PYTHON is %s, which cannot be run\n", later[FIRST], python);
  else fprintf(stderr, "psdnet: error: %s: found no python3 with h5py and numpy; PYTHON may name one\n", later[FIRST]);
  return PSD_EXIT_INPUT;
}
