import Models
import Torch

/// The codes of a data set's pictures, encoded once each.
///
/// Pictures of the emoji corpus on the grid are the same whenever they show the same objects on the
/// same ground, however many captions they have; their codes are put together by `ComposedCodes`.
final class CodeStore {
  private let set: any CaptionedDataset
  private let vqgan: VQGAN
  private let device: Device
  private let composed: ComposedCodes?
  private var files: [Int: [Int]] = [:]

  /// Codes of one picture.
  let positions: Int
  /// Codes of one position.
  let levels: Int

  init(_ set: any CaptionedDataset, _ vqgan: VQGAN, device: Device) {
    self.set = set
    self.vqgan = vqgan
    self.device = device
    composed = (set as? Corpus).map { ComposedCodes($0, vqgan, device: device) }
    let side = set.size / vqgan.config.factor
    positions = side * side
    levels = vqgan.config.levels
  }

  /// Codes `[B, positions, levels]` int64 and labels of the examples at these indices.
  func callAsFunction(_ indices: [Int]) -> (codes: Tensor, labels: [ExampleLabel]) {
    let labels = indices.map { set.label($0) }
    let all =
      if let composed {
        composed(labels.map { .init(concepts: $0.conceptIDs, color: $0.colorID ?? 0) })
      } else {
        encoded(indices.map { index in set.count.map { index % $0 } ?? index })
      }
    return (Tensor(all.flatMap(\.self), [indices.count, positions, levels]).to(device), labels)
  }

  private func encoded(_ indices: [Int]) -> [[Int]] {
    let missing = Array(Set(indices).filter { files[$0] == nil }).sorted()
    if !missing.isEmpty {
      let x = PictureBatches.tensor(set, missing).pictures.to(device)
      let found = noGrad { vqgan.quantize(vqgan.encode(x)).codes.ints() }
      let each = positions * levels
      for (i, index) in missing.enumerated() {
        files[index] = Array(found[i * each..<(i + 1) * each])
      }
    }
    return indices.map { files[$0] ?? [] }
  }
}
