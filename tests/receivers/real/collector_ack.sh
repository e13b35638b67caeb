#!/bin/bash
# As collector.sh, and a record counts as delivered only when the receiver has acknowledged it.
# limit: 600
ACK=1 exec "$(dirname "$0")/collector.sh"
