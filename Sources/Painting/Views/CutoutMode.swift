/// How the views of a picture are cut that CLIP judges.
public enum CutoutMode: String, Sendable, Hashable, CaseIterable, Codable {
  /// Views of the whole picture and squares of it, mixed: our own.
  case balanced
}
