import Foundation
import Torch

/// Examples of one or more data sets as tensors; with several, they take turns within a batch.
///
/// Which examples a step sees follows from the step alone, so that a training can be taken up again.
/// A device that computes faster than one thread draws has the next batches drawn ahead, each on a
/// thread of its own.
final class PictureBatches {
  private let sets: [any CaptionedDataset]
  private let device: Device
  private let ahead: Int
  private let tokens: @Sendable (String) -> [Int]
  private let queue = DispatchQueue(label: "picture batches", attributes: .concurrent)
  private var orders: [Wanted: Order] = [:]

  /// - Parameter tokens: reads captions; all of the same length.
  init(
    _ sets: [any CaptionedDataset], device: Device,
    tokens: @escaping @Sendable (String) -> [Int] = { _ in [] }
  ) {
    self.sets = sets
    self.tokens = tokens
    self.device = device
    ahead = device == .cpu ? 0 : 6
  }

  /// The side of every picture in pixels.
  var size: Int { sets[0].size }

  /// What is drawn.
  private struct Wanted: Hashable {
    var step: Int
    let count: Int
    let rows: Range<Int>
  }

  /// The examples of a step, or some rows of them: pictures `[B, 3, size, size]` in -1…1, their labels,
  /// and the tokens of their captions, `[B, T]` int64.
  func callAsFunction(step: Int, count: Int, rows: Range<Int>? = nil) -> (
    pictures: Tensor, labels: [ExampleLabel], tokens: Tensor
  ) {
    var wanted = Wanted(step: step, count: count, rows: rows ?? 0..<count)
    let batch = orders.removeValue(forKey: wanted)?.wait() ?? Self.draw(sets, wanted, tokens)
    for next in step..<step + ahead {
      wanted.step = next + 1
      if orders[wanted] != nil { continue }
      let order = Order()
      orders[wanted] = order
      queue.async { [sets, tokens, wanted] in order.fulfil(Self.draw(sets, wanted, tokens)) }
    }
    let examples = batch.labels.count
    return (
      Self.tensor(batch.pixels, [examples, 3, size, size], device: device), batch.labels,
      Tensor(batch.tokens, [examples, batch.tokens.count / examples]).to(device)
    )
  }

  /// The examples at these indices: pictures `[B, 3, size, size]` in -1…1, and their labels.
  static func tensor(
    _ set: any CaptionedDataset, _ indices: [Int]
  ) -> (pictures: Tensor, labels: [ExampleLabel]) {
    let batch = set.batch(indices, layout: .channelsFirst)
    return (tensor(batch.pixels, [batch.labels.count, 3, set.size, set.size]), batch.labels)
  }

  /// Bytes in N, C, H, W order as `[B, 3, H, W]` in -1…1.
  static func tensor(_ bytes: [UInt8], _ shape: [Int], device: Device = .cpu) -> Tensor {
    bytes.withUnsafeBytes { bytes in
      do {
        return try Tensor(copying: bytes, shape, .uint8).to(device).to(.float32) * (2 / 255) - 1
      } catch {
        preconditionFailure("\(error)")
      }
    }
  }

  private typealias Batch = (pixels: [UInt8], labels: [ExampleLabel], tokens: [Int])

  private static func draw(
    _ sets: [any CaptionedDataset], _ wanted: Wanted, _ tokens: (String) -> [Int]
  ) -> Batch {
    let share = wanted.count / sets.count
    var batch: Batch = ([], [], [])
    batch.pixels.reserveCapacity(wanted.rows.count * 3 * sets[0].size * sets[0].size)
    var first = 0
    for (i, set) in sets.enumerated() {
      let size = i == 0 ? wanted.count - share * (sets.count - 1) : share
      let rows = wanted.rows.clamped(to: first..<first + size)
      let indices = rows.map { wanted.step * wanted.count + $0 - first }
      first += size
      if indices.isEmpty { continue }
      let part = set.batch(indices, layout: .channelsFirst)
      batch.pixels += part.pixels
      batch.labels += part.labels
    }
    batch.tokens = batch.labels.flatMap { tokens($0.caption) }
    return batch
  }

  /// A batch that a thread is drawing.
  private final class Order: @unchecked Sendable {
    private let drawn = DispatchSemaphore(value: 0)
    /// Written before the signal and read after it.
    private var batch: Batch = ([], [], [])

    func fulfil(_ batch: Batch) {
      self.batch = batch
      drawn.signal()
    }

    func wait() -> Batch {
      drawn.wait()
      return batch
    }
  }
}
