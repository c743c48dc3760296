import TestSupport
import Testing

@testable import Torch

@Suite("Products with rows in eight bits")
struct EightBitRowsTests {
  /// Widths and heights that are whole vectors and blocks, and that are not.
  @Test(
    "are those with the numbers that the rows stand for",
    arguments: [(1, 16, 4), (2, 37, 5), (3, 64, 7), (4, 5, 1), (7, 320, 13), (9, 96, 1025)])
  func product(rows: Int, width: Int, height: Int) {
    let stream = RandomStream(seed: 4, "rows")
    let x = stream.normal([rows, 1, width])
    let values = (stream.uniform([height, width]) * 254 - 127).round()
    let scales = stream.uniform([height]) + 0.1
    let y = x.linear(EightBitRows(values: values.to(.int8), scales: scales))
    let expected = x.linear(values * scales.reshaped(height, 1))
    #expect(y.shape == [rows, 1, height])
    expectClose(y, expected, atol: 1e-4 * expected.abs().amax().item())
  }

  @Test("take rows from the middle of a tensor and of memory that is not aligned")
  func views() {
    let stream = RandomStream(seed: 5, "rows")
    let values = (stream.uniform([9, 33]) * 254 - 127).round().to(.int8)
    let (x, scales) = (stream.normal([2, 40]), stream.uniform([9]))
    let y = x.narrowed(1, 3, 33).linear(
      EightBitRows(values: values.narrowed(0, 2, 6), scales: scales.narrowed(0, 2, 6)))
    let whole = x.narrowed(1, 3, 33).linear(values.to(.float32) * scales.reshaped(9, 1))
    expectClose(y, whole.narrowed(1, 2, 6), atol: 1e-3)
  }
}
