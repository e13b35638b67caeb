#!/bin/bash
# Must be counted as failed: it says so.
echo "not ok canary: this test must fail"
