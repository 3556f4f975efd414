# For people who look around in a sandbox: 'drella job shell', 'gjoll ssh'.
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin
export LANG=C.UTF-8
