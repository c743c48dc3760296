import ArgumentParser
import Foundation
import Painting

extension RunFolder {
  /// An error of a run in which files are called as the user called them, not as the run keeps them.
  package func told(_ error: any Error) -> any Error {
    let references = description.request.references + (description.film?.source ?? [])
    var text = sentence(error)
    for reference in references {
      guard let kept = try? files.url(reference) else { continue }
      for name in [kept.path, kept.relativePath, Console.relative(kept), kept.lastPathComponent] {
        text = text.replacing(name, with: reference.name)
      }
    }
    guard text != sentence(error) else { return error }
    return error is RequestError ? ValidationError(text) : Told(description: text)
  }

  private struct Told: Error, CustomStringConvertible {
    let description: String
  }
}
