/* A PKCS#11 module that is SoftHSM, but counts logins and fails on command.
 *
 * In the folder of SOFTHSM2_CONF it writes a line to `logins` for each C_Login, and looks for `fault` at each
 * call that matters: "removed" makes the token be gone with its sessions, "rubbish" spoils its signatures,
 * "hang" makes it never answer. tests/tests/tokens.rs builds and drives it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;

/* CK_FUNCTION_LIST of version 2.40: its version, then its functions in the standard's order. */
struct functions {
  unsigned char version[2];
  void *function[68];
};
enum { GET_SLOT_LIST = 4, CLOSE_SESSION = 13, LOGIN = 18, SIGN_INIT = 42, SIGN = 43 };
enum { DEVICE_REMOVED = 0x32 };

static struct functions real, ours;

static FILE *beside(const char *name, const char *mode) {
  char path[4096];
  const char *configuration = getenv("SOFTHSM2_CONF");
  snprintf(path, sizeof path, "%s", configuration ? configuration : "");
  char *end = strrchr(path, '/');
  snprintf(end ? end + 1 : path, 64, "%s", name);
  return fopen(path, mode);
}

static int fault(const char *word) {
  char said[16] = "";
  FILE *file = beside("fault", "r");
  if (!file) return 0;
  int same = fgets(said, sizeof said, file) && strcmp(said, word) == 0;
  fclose(file);
  return same;
}

static word get_slot_list(unsigned char present, word *slots, word *count) {
  word (*next)(unsigned char, word *, word *) = real.function[GET_SLOT_LIST];
  if (fault("removed")) return *count = 0, 0;
  return next(present, slots, count);
}

static word login(word session, word user, unsigned char *pin, word length) {
  word (*next)(word, word, unsigned char *, word) = real.function[LOGIN];
  FILE *logins = beside("logins", "a");
  if (logins) fputs("login\n", logins), fclose(logins);
  return next(session, user, pin, length);
}

static word sign_init(word session, void *mechanism, word key) {
  word (*next)(word, void *, word) = real.function[SIGN_INIT];
  word (*close_session)(word) = real.function[CLOSE_SESSION];
  if (fault("removed")) return close_session(session), DEVICE_REMOVED;
  while (fault("hang")) usleep(50000);
  return next(session, mechanism, key);
}

static word sign(word session, unsigned char *data, word data_length, unsigned char *signature, word *length) {
  word (*next)(word, unsigned char *, word, unsigned char *, word *) = real.function[SIGN];
  word answer = next(session, data, data_length, signature, length);
  if (answer == 0 && signature && *length && fault("rubbish")) signature[0] ^= 1;
  return answer;
}

word C_GetFunctionList(struct functions **list) {
  if (!real.function[0]) {
    void *module = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
    word (*next)(struct functions **) = module ? dlsym(module, "C_GetFunctionList") : NULL;
    struct functions *found;
    if (!next || next(&found) != 0) return 5; /* CKR_GENERAL_ERROR */
    real = ours = *found;
    ours.function[GET_SLOT_LIST] = get_slot_list;
    ours.function[LOGIN] = login;
    ours.function[SIGN_INIT] = sign_init;
    ours.function[SIGN] = sign;
  }
  *list = &ours;
  return 0;
}
