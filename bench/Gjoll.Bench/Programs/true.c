/* For a root folder that holds nothing else. */
int main(void)
{
    return 0;
}
