import Torch

extension ObjectiveKind {
  static let likeness = ObjectiveKind(
    "likeness", "a latent like that of a picture, or like the mean of several",
    arguments: [
      .file("image", "the picture"), .file("image2", "another"), .file("image3", "a third"),
      .file("image4", "a fourth"),
    ]
  ) { context in
    let pictures = try ["image", "image2", "image3", "image4"].compactMap(context.picture)
    guard !pictures.isEmpty else {
      throw RequestError.badValue(
        field: "likeness", reason: "needs a picture: likeness,image=PICTURE")
    }
    return LikenessObjective(pictures: pictures)
  }
}

/// A latent like the mean of those of pictures (pixray's `image_labels`): half the squared angle between the
/// rows of both, each along its last axis, the mean over all rows.
///
/// A drawer that has no latent for other pictures stands in with its own picture in -1…1.
final class LikenessObjective: Objective {
  /// `[1, 3, H, W]` in 0…1 each.
  private let pictures: [Tensor]
  /// Mean rows of the pictures' latents, or of the pictures: the same throughout a painting.
  private var wanted: (rows: Tensor, areLatents: Bool)?

  init(pictures: [Tensor]) { self.pictures = pictures }

  func loss(_ observation: Observation) -> Tensor? {
    let wanted = noGrad { self.wanted ?? rows(for: observation) }
    self.wanted = wanted
    let now = wanted.areLatents ? observation.latent : observation.picture * 2 - 1
    return now.map { sphericalDistance($0, wanted.rows).mean() }
  }

  private func rows(for observation: Observation) -> (Tensor, Bool) {
    func mean(_ tensors: [Tensor]) -> Tensor {
      let rows = tensors.map { $0.normalized() }
      return rows.dropFirst().reduce(rows[0], +) / Double(rows.count)
    }
    let latents = pictures.compactMap { observation.latentOf?($0) }
    if latents.count == pictures.count, let shape = observation.latent?.shape,
      latents.allSatisfy({ $0.shape == shape })
    {
      return (mean(latents), true)
    }
    return (mean(pictures.map { $0.resampled(as: observation.picture) * 2 - 1 }), false)
  }
}
