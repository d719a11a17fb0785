"""Mistakes that real students make: of each exercise, edits of the right answer and what the report must say.

An edit is (text in the right answer, what stands there instead, a phrase of the report).
"""

from wrong_answers import (
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
)

BANKS = {
    "00_start_here": lesson_00.BANK,
    "01_baseline_scoring": lesson_01.BANK,
    "02_temperature_scaling": lesson_02.BANK,
    "03_void_classification": lesson_03.BANK,
    "04_training_losses": lesson_04.BANK,
    "05_real_time": lesson_05.BANK,
    "06_reading_results": lesson_06.BANK,
    "07_what_works": lesson_07.BANK,
}
