#!/bin/bash
# Must be counted as failed: nothing was tested.
exit 0
