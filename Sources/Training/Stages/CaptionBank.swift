import Torch

/// Captions of the corpus, embedded once: further negatives for each picture of a batch than the batch has.
///
/// A batch of a hundred hardly ever holds another fox, so what tells a picture's caption from the others' may be
/// its ground alone; among thousands there are foxes on every ground. The text tower has to stay as it is.
struct CaptionBank {
  private let labels: [ExampleLabel]
  /// Of length one, `[N, E]`.
  let embeddings: Tensor

  /// - Parameter embed: captions to embeddings of length one, `[B, E]`.
  init(_ sets: [any CaptionedDataset], count: Int, embed: ([String]) -> Tensor) {
    labels = sets.flatMap { set in
      (0..<min((count + sets.count - 1) / sets.count, set.count ?? .max)).map { set.label($0) }
    }
    let captions = labels.map(\.caption)
    embeddings = concatenated(
      stride(from: 0, to: captions.count, by: 256).map { start in
        embed(Array(captions[start..<min(start + 256, captions.count)]))
      }, over: 0
    ).detached()
  }

  /// What to add to the logits of pictures against the bank, `[B, N]`: 0, and what rules a caption out where it is
  /// as true of the picture as the picture's own.
  /// - Parameter pictures: their labels.
  func mask(of pictures: [ExampleLabel], on device: Device) -> Tensor {
    let values = pictures.flatMap { picture in
      labels.map { $0.isTrue(of: picture) ? Float(-1e4) : 0 }
    }
    return Tensor(values, [pictures.count, labels.count]).to(device)
  }
}

extension ExampleLabel {
  /// Whether this label's caption could be said of the other's picture, which may show more than it tells.
  func isTrue(of picture: ExampleLabel) -> Bool {
    guard kind != .file, picture.kind != .file else { return caption == picture.caption }
    func agrees<T: Equatable>(_ part: KeyPath<ExampleLabel, T?>) -> Bool {
      self[keyPath: part] == nil || self[keyPath: part] == picture[keyPath: part]
    }
    return count == picture.count
      && agrees(\.colorID) && agrees(\.sceneID) && agrees(\.styleID) && agrees(\.scale)
      && (relation == nil || (relation == picture.relation && conceptIDs == picture.conceptIDs))
      && conceptIDs.enumerated().allSatisfy { place, concept in
        guard let there = picture.conceptIDs.firstIndex(of: concept) else { return false }
        return tint(place) == nil || tint(place)?.name == picture.tint(there)?.name
      }
  }
}
