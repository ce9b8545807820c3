/* Stands for a reader maker's LD/T 33 library: a reader with a pad of its own.
 *
 * The "reader" is a simulator behind the UNIX socket that LDT33_STANDIN_SOCKET names; it holds the card and the pad, so a
 * PIN typed there never enters the process that loaded this library. One connection a call: the call's name and its
 * arguments, separated by tabs, a line feed; back come a code, a tab, the text and a line feed. Texts are GBK.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ERR_CONNECTION (-11)
#define ERR_NO_ANSWER (-4)
#define LINE_MAX_BYTES 8192 /* also what a caller must offer as pOutInfo */

static int reader(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("LDT33_STANDIN_SOCKET");
    int fd;

    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int ask(const char *question, char *out)
{
    char line[LINE_MAX_BYTES];
    size_t length = 0, done = 0, total = strlen(question);
    ssize_t step;
    char *tab;
    int fd = reader();

    out[0] = '\0';
    if (fd < 0)
        return ERR_CONNECTION;
    while (done < total && (step = send(fd, question + done, total - done, MSG_NOSIGNAL)) > 0)
        done += (size_t)step;
    while (length < sizeof line - 1) {
        step = recv(fd, line + length, sizeof line - 1 - length, 0);
        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            break;
        length += (size_t)step;
        if (line[length - 1] == '\n')
            break;
    }
    close(fd);
    if (length == 0 || line[length - 1] != '\n')
        return ERR_NO_ANSWER;
    line[length - 1] = '\0';
    tab = strchr(line, '\t');
    if (tab == NULL)
        return ERR_NO_ANSWER;
    strcpy(out, tab + 1);
    return atoi(line);
}

/* ICC_Reader_...: bytes travel as hexadecimal digits, both ways. */
static int ask_bytes(const char *question, unsigned char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char text[LINE_MAX_BYTES];
    int code = ask(question, text), count = 0;

    if (code < 0)
        return code;
    for (const char *at = text; at[0] != '\0' && at[1] != '\0'; at += 2) {
        const char *high = strchr(digits, at[0]), *low = strchr(digits, at[1]);
        if (high == NULL || low == NULL)
            return ERR_NO_ANSWER;
        out[count++] = (unsigned char)((high - digits) << 4 | (low - digits));
    }
    return count;
}

static int call(const char *name, int type, char *out)
{
    char question[64];

    snprintf(question, sizeof question, "%s\t%d\n", name, type);
    return ask(question, out);
}

/* By this function a production terminal knows that this is no maker's library. */
int yikatong_stand_in(void) { return 1; }

int iReadCardBas(int iType, char *pOutInfo) { return call("iReadCardBas", iType, pOutInfo); }
int iReadCardBas_HSM_Step1(int iType, char *pOutInfo) { return call("iReadCardBas_HSM_Step1", iType, pOutInfo); }
int iVerifyPIN(int iType, char *pOutInfo) { return call("iVerifyPIN", iType, pOutInfo); }
int iChangePIN(int iType, char *pOutInfo) { return call("iChangePIN", iType, pOutInfo); }

int iReadCardBas_HSM_Step2(char *pKey, char *pOutInfo)
{
    char question[LINE_MAX_BYTES];

    if (strpbrk(pKey, "\t\n") != NULL
        || snprintf(question, sizeof question, "iReadCardBas_HSM_Step2\t%s\n", pKey) >= (int)sizeof question)
        return -14;
    return ask(question, pOutInfo);
}

/* The older functions that pass commands to a card: terminal specification, appendix B ("SSSE32"). */
#define HANDLE 1
#define CARD 0x01 /* the only connector of this reader */
#define ERR_NOT_OPEN (-12)
#define ERR_ARGUMENT (-14)
#define APDU_MAX_BYTES 512

static int refused(long reader, unsigned char connector)
{
    return reader != HANDLE ? ERR_NOT_OPEN : connector != CARD ? ERR_ARGUMENT : 0;
}

static long contact(const char *name, long reader, unsigned char connector, unsigned char *out)
{
    char question[64];
    int wrong = refused(reader, connector);

    if (wrong != 0)
        return wrong;
    snprintf(question, sizeof question, "%s\t\n", name);
    return ask_bytes(question, out);
}

long ICC_Reader_Open(char *dev_Name)
{
    int fd;

    if (dev_Name == NULL || (strcmp(dev_Name, "USB1") != 0 && strcmp(dev_Name, "AUTO") != 0))
        return ERR_ARGUMENT;
    fd = reader();
    if (fd < 0)
        return ERR_CONNECTION;
    close(fd);
    return HANDLE;
}

long ICC_Reader_Close(long ReaderHandle) { return refused(ReaderHandle, CARD); }

long ICC_Reader_GetStatus(long ReaderHandle, unsigned char ICC_Slot_No)
{
    unsigned char nothing[LINE_MAX_BYTES];

    return contact("ICC_Reader_GetStatus", ReaderHandle, ICC_Slot_No, nothing);
}

long ICC_Reader_PowerOn(long ReaderHandle, unsigned char ICC_Slot_No, unsigned char *Response)
{
    return contact("ICC_Reader_PowerOn", ReaderHandle, ICC_Slot_No, Response);
}

long ICC_Reader_PowerOff(long ReaderHandle, unsigned char ICC_Slot_No)
{
    unsigned char nothing[LINE_MAX_BYTES];

    return contact("ICC_Reader_PowerOff", ReaderHandle, ICC_Slot_No, nothing);
}

long ICC_Reader_Application(long ReaderHandle, unsigned char ICC_Slot_No, long Length_of_Command_APDU,
                            unsigned char *Command_APDU, unsigned char *Response_APDU)
{
    char question[64 + 2 * APDU_MAX_BYTES];
    int length, wrong = refused(ReaderHandle, ICC_Slot_No);

    if (wrong != 0 || Length_of_Command_APDU < 4 || Length_of_Command_APDU > APDU_MAX_BYTES)
        return wrong != 0 ? wrong : ERR_ARGUMENT;
    length = sprintf(question, "ICC_Reader_Application\t");
    for (long at = 0; at < Length_of_Command_APDU; at++)
        length += sprintf(question + length, "%02X", Command_APDU[at]);
    strcpy(question + length, "\n");
    return ask_bytes(question, Response_APDU);
}
