//! `Viewer`: on whose behalf something is read or told. A value of the app's own type, or nobody.
//!
//! Made by the app's `ContextFactory` or `Authenticator`; compared where a session is used by its
//! owner only, and looked at by computed fields and by rules of visibility. What must stay true:
//! its content is the app's affair and never prints.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Who asks. Cheap to clone; two are equal if they hold equal values of one type, or nothing both.
#[derive(Clone, Default)]
pub struct Viewer(Option<Arc<dyn Content>>);

impl Viewer {
    /// The viewer that this value stands for, such as a user's id or a user with roles. What
    /// decides on what the viewer may see belongs into it, and nothing that differs from request
    /// to request: a session is used by equal viewers only.
    pub fn new<T>(value: T) -> Viewer
    where
        T: Clone + Eq + Send + Sync + 'static,
    {
        Viewer(Some(Arc::new(value)))
    }

    /// Nobody in particular.
    pub fn anonymous() -> Viewer {
        Viewer(None)
    }

    /// Whether this is nobody in particular.
    pub fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// Where its value is: clones of one viewer share it. 0 for nobody.
    pub(crate) fn place(&self) -> usize {
        let content = self.0.as_ref();
        content.map_or(0, |content| Arc::as_ptr(content).cast::<()>() as usize)
    }

    /// The value; nothing if the viewer is anonymous, or holds a value of another type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let content: &dyn Any = &**self.0.as_ref()?;
        content.downcast_ref()
    }
}

impl PartialEq for Viewer {
    fn eq(&self, other: &Viewer) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one.equals(&**other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for Viewer {}

impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_anonymous() {
            "Viewer(anonymous)"
        } else {
            "Viewer(..)"
        })
    }
}

/// How viewers are written into a recording of the debugger, and read from it by another build.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ViewerForm(Option<(Write, Read)>);

type Write = fn(&Viewer) -> Option<Value>;
type Read = fn(&Value) -> Option<Viewer>;

impl ViewerForm {
    /// That of viewers of this type, as serde has it.
    pub(crate) fn of<T>() -> ViewerForm
    where
        T: Serialize + DeserializeOwned + Clone + Eq + Send + Sync + 'static,
    {
        ViewerForm(Some((
            |viewer| serde_json::to_value(viewer.get::<T>()?).ok(),
            |value| {
                serde_json::from_value::<T>(value.clone())
                    .ok()
                    .map(Viewer::new)
            },
        )))
    }

    /// The viewer's value; nothing if it is of another type, or the app does not say how to write it.
    pub(crate) fn write(self, viewer: &Viewer) -> Option<Value> {
        self.0.and_then(|(write, _)| write(viewer))
    }

    /// The viewer of this value, if it is one.
    pub(crate) fn read(self, value: &Value) -> Option<Viewer> {
        self.0.and_then(|(_, read)| read(value))
    }
}

/// What a viewer holds, whatever its type.
trait Content: Any + Send + Sync {
    fn equals(&self, other: &dyn Content) -> bool;
}

impl<T: Eq + Send + Sync + 'static> Content for T {
    fn equals(&self, other: &dyn Content) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<T>() == Some(self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn viewers_are_equal_by_type_and_value() {
        assert_eq!(Viewer::new(1_i32), Viewer::new(1_i32));
        assert_ne!(Viewer::new(1_i32), Viewer::new(2_i32));
        assert_ne!(Viewer::new(1_i32), Viewer::new(1_i64));
        assert_ne!(Viewer::new(1_i32), Viewer::anonymous());
        assert_eq!(Viewer::default(), Viewer::anonymous());
    }

    #[test]
    fn a_viewer_is_read_as_it_was_written_if_it_is_of_the_type_that_the_app_names() {
        let form = ViewerForm::of::<i32>();
        let viewer = Viewer::new(3_i32);
        let written = form.write(&viewer).unwrap();
        assert_eq!(form.read(&written), Some(viewer.clone()));
        assert_eq!(form.write(&Viewer::new("ann")), None);
        assert_eq!(form.read(&Value::from("ann")), None);
        assert_eq!(ViewerForm::default().write(&viewer), None);
    }

    #[test]
    fn a_viewer_gives_its_value_by_type_and_prints_nothing_of_it() {
        let viewer = Viewer::new("ann".to_owned());
        assert_eq!(viewer.get::<String>().map(String::as_str), Some("ann"));
        assert_eq!(viewer.get::<i32>(), None);
        assert_eq!(Viewer::anonymous().get::<String>(), None);
        assert_eq!(format!("{viewer:?}"), "Viewer(..)");
    }
}
