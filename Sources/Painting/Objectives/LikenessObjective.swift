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
/// A drawer without a latent stands in with its picture in -1…1.
struct LikenessObjective: Objective {
  /// `[1, 3, H, W]` in 0…1 each.
  let pictures: [Tensor]

  func loss(_ observation: Observation) -> Tensor? {
    let now = observation.latent ?? observation.picture * 2 - 1
    let wanted = noGrad {
      let rows = pictures.map { picture in
        (observation.latent == nil
          ? picture.resampled(as: observation.picture) * 2 - 1
          : observation.latentOf?(picture) ?? now).normalized()
      }
      return rows.dropFirst().reduce(rows[0], +) / Double(rows.count)
    }
    guard wanted.shape == now.shape else { return nil }
    return sphericalDistance(now, wanted).mean()
  }
}
