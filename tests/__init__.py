"""Tests: unit, golden, contract, engine, gpu, packaging; support/ holds what they stand on."""
