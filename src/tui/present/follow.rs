//! The mirror: what another kinlab shows, drawn in this window. Read-only.

use ratatui::buffer::Buffer;

use crate::tui::app::Look;
use crate::tui::hit::HitMap;
use crate::tui::paint::Painter;
use crate::tui::render::render;
use crate::tui::theme::Role;

use super::notes::message;
use super::published::Published;

/// Draws what was published, or words in its place.
pub fn draw(news: Result<&Published, &str>, look: &Look, buf: &mut Buffer) {
    match news {
        Ok(news) => {
            let mut app = news.app(look.clone(), buf.area.width, buf.area.height);
            app.banner = Some("following: q quit, T theme".to_owned());
            render(&app, &news.view, buf);
        }
        Err(why) => {
            buf.reset();
            let screen = buf.area;
            buf.set_style(screen, look.theme.style(Role::Text));
            let mut hits = HitMap::default();
            message(why, screen, &mut Painter { buf, theme: look.theme, glyphs: look.glyphs.glyphs(), hits: &mut hits });
        }
    }
}
