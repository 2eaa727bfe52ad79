"""The part of CommonMark that a changelog needs to be edited without losing a byte."""
