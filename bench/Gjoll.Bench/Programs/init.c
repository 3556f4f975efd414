/* The least that a kernel can start: says so on the console, and waits to be ended. */
#include <unistd.h>

int main(void)
{
    static const char word[] = "first-command\n";
    if (write(1, word, sizeof word - 1) < 0)
        return 1;
    for (;;)
        pause();
}
