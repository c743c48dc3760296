import Models
import Torch

/// The codes of a data set's pictures, encoded once each.
///
/// Pictures of the emoji corpus on the grid are the same whenever they show the same objects on the
/// same ground, however many captions they have.
final class CodeStore {
  private enum Key: Hashable {
    case shown(concepts: [Int], color: Int)
    case file(Int)
  }

  private let set: any CaptionedDataset
  private let vqgan: VQGAN
  private let device: Device
  private let precision: DType
  private var codes: [Key: [Int]] = [:]

  /// Codes of one picture.
  let positions: Int
  /// Codes of one position.
  let levels: Int

  init(_ set: any CaptionedDataset, _ vqgan: VQGAN, precision: DType, device: Device) {
    self.set = set
    self.vqgan = vqgan
    self.device = device
    self.precision = precision
    let side = set.size / vqgan.config.factor
    positions = side * side
    levels = vqgan.config.levels
  }

  /// Codes `[B, positions, levels]` int64 and labels of the examples at these indices.
  func callAsFunction(_ indices: [Int]) -> (codes: Tensor, labels: [ExampleLabel]) {
    let labels = indices.map { set.label($0) }
    let keys = zip(indices, labels).map { key($0, $1) }
    var missing: [Key: Int] = [:]
    for (key, index) in zip(keys, indices) where codes[key] == nil { missing[key] = index }
    if !missing.isEmpty { encode(missing.sorted { $0.value < $1.value }) }
    let all = keys.flatMap { codes[$0] ?? [] }
    return (Tensor(all, [indices.count, positions, levels]).to(device), labels)
  }

  private func key(_ index: Int, _ label: ExampleLabel) -> Key {
    guard let color = label.colorID else { return .file(set.count.map { index % $0 } ?? index) }
    return .shown(concepts: label.conceptIDs, color: color)
  }

  private func encode(_ missing: [(key: Key, value: Int)]) {
    let x = PictureBatches.tensor(set, missing.map(\.value)).pictures.to(device)
    let found = noGrad {
      vqgan.quantize(vqgan.encode(x)).codes.reshaped(missing.count, -1).ints()
    }
    let each = positions * levels
    for (i, (key, _)) in missing.enumerated() {
      codes[key] = Array(found[i * each..<(i + 1) * each])
    }
  }
}
