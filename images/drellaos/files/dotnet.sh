#!/bin/sh
# The SDK as unattended agents want it: no greeting, no certificate, no reports to anybody, and no search for updates that no route leads to.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=1
exec /usr/share/dotnet/dotnet "$@"
