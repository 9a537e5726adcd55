/* SPDX-License-Identifier: MIT
 *
 * A plugin that brings Python into a program that knows nothing of it (plugin_host.c).
 */
void Py_InitializeEx(int install_signal_handlers);
int Py_FinalizeEx(void);
int PyRun_SimpleString(const char *code);

int plugin_run(const char *code);

int plugin_run(const char *code)
{
    Py_InitializeEx(0);
    int failed = PyRun_SimpleString(code);
    return Py_FinalizeEx() != 0 || failed;
}
