import TestSupport
import Testing

@testable import Torch

@Suite("Products of few rows with matrices as they are held")
struct MatrixTests {
  /// Widths and heights that are whole vectors and blocks, and that are not.
  @Test(
    "in eight bits are those with the numbers that the rows stand for",
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

  @Test(
    "of several matrices stand side by side, whatever the number of threads",
    arguments: [DType.int8, .bfloat16, .float32])
  func several(type: DType) {
    let stream = RandomStream(seed: 6, "rows")
    // Enough to be shared among threads, in heights that are no whole shares.
    let (x, heights) = (stream.normal([3, 1, 1029]), [1500, 3, 777])
    let numbers = heights.map { (stream.uniform([$0, 1029]) * 254 - 127).round().to(type) }
    let scales = heights.map { stream.uniform([$0]) + 0.1 }
    func product(threads: Int) -> Tensor {
      guard type == .int8 else { return x.linear(fewRowsBy: numbers, threads: threads) }
      return x.linear(
        zip(numbers, scales).map { EightBitRows(values: $0, scales: $1) }, threads: threads)
    }
    let alone = product(threads: 1)
    #expect(alone.shape == [3, 1, 2280])
    let expected = zip(numbers, scales).map { values, scales in
      let y = x.linear(values.to(.float32))
      return type == .int8 ? y * scales : y
    }
    let whole = concatenated(expected, over: 2)
    expectClose(alone, whole, atol: 1e-5 * whole.abs().amax().item())
    for threads in [2, 3, 8] { #expect(product(threads: threads).floats() == alone.floats()) }
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
