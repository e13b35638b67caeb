#!/bin/bash
# Must be counted as failed: it does not end within its limit.
# limit: 1
exec sleep 60
